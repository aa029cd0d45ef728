import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fittingRange } from "../../src/runtime/diagnosis/subordinate-ids.ts";
import { ID_MAPPING_SCRIPT, ID_WAITING_SCRIPT } from "../../src/runtime/id-mapping-script.ts";
import { findOrdinaryUser, openUserScene, type TestUser } from "./ordinary-user.ts";

const user = findOrdinaryUser();
if (typeof user === "string") {
  describe.skip(`ids that are named to newuidmap (skipped: ${user})`, () => test("", () => {}));
} else {
  describe("ids that are named to newuidmap", () => mappingTests(user));
}

function mappingTests(owner: TestUser): void {
  const scene = openUserScene(owner);
  afterAll(scene.remove);
  const name = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([, , id]) => id === String(owner.uid))?.[0];
  const rangeOf = (file: string) => {
    const range = fittingRange(readFileSync(file, "utf8"), { name: name ?? "", id: owner.uid });
    return `${range?.start} ${(range?.size ?? 0) - 1}`;
  };
  const uids = `0 ${owner.uid} 1 1 ${rangeOf("/etc/subuid")}`;
  const gids = `0 ${owner.gid} 1 1 ${rangeOf("/etc/subgid")}`;
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"];
  const starter = (argv: readonly string[], maps: readonly string[] = [uids, gids], options = namespaces) => [
    ...["/bin/sh", "-c", ID_MAPPING_SCRIPT, "sh", ...maps, ...options, "--"],
    ...["/bin/sh", "-c", ID_WAITING_SCRIPT, "sh", ...argv],
  ];
  const leftovers = () => readdirSync(tmpdir()).filter((entry) => entry.startsWith("cooper-ids."));

  test("the program is root of the same ids that unshare --map-auto gives, with every capability and nothing else open", async () => {
    const script = "cat /proc/self/uid_map /proc/self/gid_map; grep CapEff /proc/self/status; echo $(ls /proc/self/fd)";
    const named = await scene.run(starter(["sh", "-c", script]));
    const automatic = await scene.run([
      "unshare",
      "--user",
      "--map-auto",
      "--map-root-user",
      ...namespaces,
      "sh",
      "-c",
      script,
    ]);
    expect(named.exitCode).toBe(0);
    expect(named.stdout).toMatch(/CapEff:\t0*1f+\n0 1 2 3\n$/);
    // Before util-linux 2.38 there is nothing to compare with.
    if (automatic.exitCode === 0) expect(named.stdout).toBe(automatic.stdout);
  });

  test("its input is the caller's, and its exit code is passed on", async () => {
    expect(await scene.run(starter(["sh", "-c", "cat; exit 7"]), { stdin: "lifeline\n" })).toEqual({
      exitCode: 7,
      stdout: "lifeline\n",
      stderr: "",
    });
  });

  test("without a namespace of its own for processes it works too", async () => {
    const { stdout, exitCode } = await scene.run(starter(["id", "-u"], [uids, gids], []));
    expect({ stdout, exitCode }).toEqual({ stdout: "0\n", exitCode: 0 });
  });

  test("ids that are not the user's are refused by newuidmap, and the program does not run", async () => {
    const { exitCode, stdout, stderr } = await scene.run(starter(["echo", "ran"], ["0 0 1", gids]));
    expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: "" });
    expect(stderr).toContain("newuidmap");
  });

  test("when unshare refuses, nobody waits for ever and nothing is left behind", async () => {
    const { exitCode, stderr } = await scene.run(starter(["true"], [uids, gids], ["--no-such-option"]));
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no-such-option");
    expect(leftovers()).toEqual([]);
  });
}
