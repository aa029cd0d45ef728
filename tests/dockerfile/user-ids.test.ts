import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { userIdsScript } from "../../src/dockerfile/user-ids.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-user-ids-"));
afterAll(() => rmSync(root, { recursive: true }));

const PASSWD = [
  "root:x:0:0:root:/root:/bin/bash",
  "# a comment",
  "dev:x:2000:2000:D. E. Veloper,,,\\n $HOME `id`:/nonexistent:/bin/bash",
  "dev2:x:2000:2000::/nonexistent:",
  "other:x:3000:2000::/nonexistent:/bin/sh",
  "+::::::",
].join("\n");
const GROUP = ["root:x:0:", "dev:x:2000:", "dev-too:!:2000:dev,other", "taken:x:4000:", "video:x:44:dev"].join("\n");

/** Runs the script by the host's sh on copies of /etc/passwd and /etc/group; no home exists, so that nothing changes owner. */
async function run(step: { user: string; uid: number; gid: number }, files: { passwd?: string; group?: string } = {}) {
  const etc = mkdtempSync(join(root, "etc-"));
  writeFileSync(join(etc, "passwd"), files.passwd ?? `${PASSWD}\n`);
  writeFileSync(join(etc, "group"), files.group ?? `${GROUP}\n`);
  const script = ["set -eu", ...userIdsScript({ kind: "user-ids", ...step })].join("; ").replaceAll("/etc/", `${etc}/`);
  const child = Bun.spawn(["/bin/sh", "-c", script], { stdout: "pipe", stderr: "pipe" });
  const [said, complaints, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ complaints, exitCode }).toEqual({ complaints: "", exitCode: 0 });
  const passwd = readFileSync(join(etc, "passwd"), "utf8");
  const group = readFileSync(join(etc, "group"), "utf8");
  return { said: said.replaceAll(etc, "/etc"), passwd, group };
}

const unchanged = { passwd: `${PASSWD}\n`, group: `${GROUP}\n` };

test("the user's entry and its group's get the ids, everything else stays as it is written", async () => {
  expect(await run({ user: "dev", uid: 501, gid: 502 })).toEqual({
    said: "User dev gets the ids 501:502 in place of 2000:2000.\n",
    passwd: unchanged.passwd.replace("dev:x:2000:2000", "dev:x:501:502"),
    group: unchanged.group.replace("dev:x:2000", "dev:x:502").replace("dev-too:!:2000", "dev-too:!:502"),
  });
});

for (const [what, step, said] of [
  ["there is no such user", { user: "nope", uid: 1, gid: 1 }, "User nope is not in /etc/passwd: no ids are changed.\n"],
  [
    "the user's name is only the beginning of another's",
    { user: "oth", uid: 1, gid: 1 },
    "User oth is not in /etc/passwd: no ids are changed.\n",
  ],
  ["the uid is another user's", { user: "dev", uid: 3000, gid: 9 }, "User other has the uid 3000: dev keeps 2000.\n"],
  ["the ids are the user's already", { user: "dev", uid: 2000, gid: 2000 }, "User dev has the ids 2000:2000.\n"],
  [
    "the user is root",
    { user: "root", uid: 501, gid: 502 },
    "User root is root by another name: no ids are changed.\n",
  ],
  [
    "the uid is the user's and the gid another group's",
    { user: "dev", uid: 2000, gid: 4000 },
    "User dev keeps the gid 2000.\nUser dev has the ids 2000:2000.\n",
  ],
] as const) {
  test(`nothing changes when ${what}`, async () => {
    expect(await run(step)).toEqual({ said, ...unchanged });
  });
}

test("a gid that another group has does not become the user's, the uid changes all the same", async () => {
  const { said, passwd, group } = await run({ user: "dev", uid: 501, gid: 4000 });
  expect(said).toBe("User dev keeps the gid 2000.\nUser dev gets the ids 501:2000 in place of 2000:2000.\n");
  expect({ passwd, group }).toEqual({
    ...unchanged,
    passwd: unchanged.passwd.replace("dev:x:2000:2000", "dev:x:501:2000"),
  });
});

test("root's group is not renumbered for a user who is in it", async () => {
  const { passwd, group } = await run({ user: "dev", uid: 501, gid: 502 }, { passwd: "dev:x:2000:0::/h:/bin/sh\n" });
  expect({ passwd, group }).toEqual({ passwd: "dev:x:501:0::/h:/bin/sh\n", group: unchanged.group });
});

test("last lines without a line break count", async () => {
  const files = { passwd: "dev:x:2000:2000:::", group: "dev:x:2000:" };
  expect(await run({ user: "dev", uid: 501, gid: 502 }, files)).toMatchObject({
    passwd: "dev:x:501:502:::\n",
    group: "dev:x:502:\n",
  });
});

test("an id that is no whole number is a mistake of ours", () => {
  for (const id of [-1, 1.5, Number.NaN])
    expect(() => userIdsScript({ kind: "user-ids", user: "dev", uid: id, gid: 1 })).toThrow(TypeError);
});
