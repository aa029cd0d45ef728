import { expect, test } from "bun:test";
import { imageAccount } from "../../src/oci/image-account.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "ada:x:1000:1001:Ada,,,:/home/ada:/bin/sh",
  "app:x:70:70::/srv:/bin/false\r",
  "homeless:x:80:80",
  "broken:x:many:80::/:/bin/sh",
  "",
].join("\n");
const group = ["root:x:0:", "ada:x:1001:", "docker:x:998:app,ada", "audio:x:29:adamant,root", "odd:x:no:ada"].join(
  "\n",
);
const account = (wanted: string, files = { passwd, group }) => imageAccount(wanted, files);

test("nobody in particular is root, with root's home and groups", () => {
  expect(account("")).toEqual({ uid: 0, gid: 0, groups: [29], home: "/root" });
  expect(account("", { passwd: "", group: "" })).toEqual({ uid: 0, gid: 0, groups: [], home: "/" });
});

test("a user has the group of its entry and those that name it whole", () => {
  expect(account("ada")).toEqual({ uid: 1000, gid: 1001, groups: [998], home: "/home/ada" });
});

test("the number of a user that has an entry is that user", () => {
  expect(account("1000")).toEqual(account("ada"));
});

test("a number needs no entry: its group is root's and its home the root", () => {
  expect(account("4711")).toEqual({ uid: 4711, gid: 0, groups: [], home: "/" });
});

test("a group that is given is the only one, by name or number", () => {
  expect(account("ada:docker")).toEqual({ uid: 1000, gid: 998, groups: [], home: "/home/ada" });
  expect(account("ada:5")).toEqual({ uid: 1000, gid: 5, groups: [], home: "/home/ada" });
  expect(account(":docker")).toEqual({ uid: 0, gid: 998, groups: [], home: "/root" });
});

test("lines of other systems and short lines count as far as they go", () => {
  expect(account("app")).toEqual({ uid: 70, gid: 70, groups: [998], home: "/srv" });
  expect(account("homeless")).toEqual({ uid: 80, gid: 80, groups: [], home: "/" });
});

test("who is not there is told with the file that was looked in", () => {
  expect(account("grace")).toEqual({ wanted: "grace", file: "/etc/passwd" });
  expect(account("broken")).toEqual({ wanted: "broken", file: "/etc/passwd" });
  expect(account("ada:staff")).toEqual({ wanted: "staff", file: "/etc/group" });
  expect(account("ada:odd")).toEqual({ wanted: "odd", file: "/etc/group" });
});

test("a number that no process can have is nobody's", () => {
  expect(account("4294967295")).toEqual({ wanted: "4294967295", file: "/etc/passwd" });
  expect(account("-1")).toEqual({ wanted: "-1", file: "/etc/passwd" });
  expect(account("0:99999999999")).toEqual({ wanted: "99999999999", file: "/etc/group" });
});
