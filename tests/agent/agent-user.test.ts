import { expect, test } from "bun:test";
import { decideAgentUser, ownUser } from "../../src/agent/agent-user.ts";
import { readBaseFiles, readProbedText } from "../../src/agent/base-files.ts";

const PASSWD =
  "root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n";
const GROUP = "root:x:0:\nnode:x:1000:\ndialout:x:20:\n";
const FILES = { passwd: PASSWD, group: GROUP, canAddUsers: true, canAddGroups: true };

test("a user of the image with the wanted uid is taken as it is, with its home", () => {
  expect(decideAgentUser({ name: "ada", uid: 1000, gid: 1000 }, FILES)).toEqual({
    name: "node",
    uid: 1000,
    gid: 1000,
    home: "/home/node",
    passwd: undefined,
    group: undefined,
  });
});

test("a new user and group are added, and nothing else changes", () => {
  const user = decideAgentUser({ name: "Ada.L", uid: 501, gid: 502 }, FILES);
  expect(user?.passwd).toBe(`${PASSWD}ada-l:x:501:502::/home/ada-l:/bin/sh\n`);
  expect(user?.group).toBe(`${GROUP}ada-l:x:502:\n`);
  expect(user?.home).toBe("/home/ada-l");
});

test("a name that is another's is left to it", () => {
  const user = decideAgentUser({ name: "node", uid: 1234, gid: 1000 }, FILES);
  expect(user).toMatchObject({ name: "node2", uid: 1234, gid: 1000, home: "/home/node2", group: undefined });
});

test("the gid 20 of a Mac is dialout's in Debian, which keeps its name", () => {
  const user = decideAgentUser({ name: "ada", uid: 501, gid: 20 }, FILES);
  expect(user).toMatchObject({ gid: 20, group: undefined });
});

test("root is root, also where the image has no users at all", () => {
  expect(decideAgentUser({ name: "root", uid: 0, gid: 0 }, FILES)).toMatchObject({ home: "/root", passwd: undefined });
  expect(decideAgentUser({ name: "ada", uid: 0, gid: 0 }, { ...FILES, passwd: "", group: "" })).toMatchObject({
    name: "root",
    home: "/root",
    passwd: "root:x:0:0::/root:/bin/sh\n",
    group: "ada:x:0:\n",
  });
});

test("an account without a home gets one", () => {
  expect(decideAgentUser({ name: "ada", uid: 65534, gid: 65534 }, FILES)?.home).toBe("/home/nobody");
});

test("a last line without its end is no trap", () => {
  const user = decideAgentUser(
    { name: "ada", uid: 7, gid: 0 },
    { ...FILES, passwd: "root:x:0:0::/root:/bin/sh", group: "root:x:0:" },
  );
  expect(user?.passwd).toBe("root:x:0:0::/root:/bin/sh\nada:x:7:0::/home/ada:/bin/sh\n");
});

test("files that cannot be written again are left alone: who is there is taken, and nobody is added", () => {
  const fixed = { ...FILES, canAddUsers: false, canAddGroups: false };
  expect(decideAgentUser({ name: "ada", uid: 1000, gid: 77 }, fixed)).toMatchObject({
    name: "node",
    gid: 77,
    group: undefined,
  });
  expect(decideAgentUser({ name: "ada", uid: 501, gid: 1000 }, fixed)).toBeUndefined();
});

test.each([
  ["", { name: "root", uid: 0, gid: 0, home: "/root" }],
  ["node", { name: "node", uid: 1000, gid: 1000, home: "/home/node" }],
  ["1000:dialout", { name: "node", uid: 1000, gid: 20, home: "/home/node" }],
  ["4242", { name: "user", uid: 4242, gid: 0, home: "/home/user" }],
  ["4242:17", { name: "user", uid: 4242, gid: 17, home: "/home/user" }],
])("an image whose USER is %p has as its own %p", (written, own) => {
  expect(ownUser(written, FILES)).toEqual({ ...own, passwd: undefined, group: undefined });
});

test("a text that would be another when written again is marked, whatever is wrong with it", () => {
  const probed = (passwd: Uint8Array | undefined) =>
    readBaseFiles(
      new Map([
        ["/lib64/ld-linux-x86-64.so.2", ""],
        ["/etc/passwd", readProbedText(passwd)],
      ]),
      { arch: "x64", image: "acme/base" },
    );
  const latin1 = Buffer.from("root:x:0:0:M\xfcller:/root:/bin/sh\n", "latin1");
  expect(probed(latin1)).toMatchObject({ canAddUsers: false, passwd: expect.stringMatching(/^root:x:0:0/) });
  expect(probed(Buffer.from("root\0"))).toMatchObject({ canAddUsers: false });
  expect(probed(undefined)).toMatchObject({ canAddUsers: false, passwd: "" });
  expect(probed(Buffer.from("root:x:0:0:Müller:/root:/bin/sh\n"))).toMatchObject({ canAddUsers: true });
});
