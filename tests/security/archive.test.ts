import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { readArchiveContents } from "../../src/oci/archive-contents.ts";
import { type TarMember, tarOf } from "../fakes/registry-tar.ts";

const symlink = (path: string, target: string): TarMember => ({ path, type: "2", target });
const directory = (path: string): TarMember => ({ path, type: "5" });

test.each<[string, TarMember[]]>([
  ["../ in a name", [{ path: "../evil" }]],
  ["../ in the middle of a name", [{ path: "a/../../evil" }]],
  ["../ that would stay inside", [{ path: "a/../b" }]],
  ["an absolute name", [{ path: "/etc/passwd" }]],
  ["an absolute name in a pax record", [{ path: "a", records: { path: "/etc/passwd" } }]],
  ["../ in a GNU long name", [{ path: "../evil", format: "gnu" }]],
  ["a backslash in a name", [{ path: "..\\evil" }]],
  ["a file without a name", [{ path: "." }]],
  ["an absolute symlink", [symlink("a", "/etc")]],
  ["a symlink to the parent", [symlink("a", "..")]],
  ["a symlink that climbs too far", [symlink("a/b", "../../etc/passwd")]],
  ["a symlink that climbs through another", [directory("deep"), symlink("deep/d", ".."), symlink("e", "deep/d/..")]],
  ["a symlink that climbs through a later one", [symlink("e", "deep/d/.."), symlink("deep/d", "..")]],
  ["a symlink that climbs through one of another case", [symlink("deep/d", ".."), symlink("e", "deep/D/..")]],
  ["a symlink to itself", [symlink("a", "a")]],
  ["symlinks in a circle", [symlink("a", "b"), symlink("b", "a")]],
  ["a symlink to nothing", [symlink("a", "")]],
  ["a symlink with a backslash", [symlink("a", "..\\x")]],
  ["a file through a symlink", [symlink("a", "b"), { path: "a/evil" }]],
  ["a file through a symlink of another case", [symlink("a", "b"), { path: "A/evil" }]],
  ["a directory through a symlink", [symlink("a", "b"), directory("a/evil")]],
  ["a file inside a file", [{ path: "a" }, { path: "a/evil" }]],
  ["a file that replaces a symlink", [symlink("a", "b"), { path: "a" }]],
  ["a symlink that replaces a file", [{ path: "a" }, symlink("a", "b")]],
  ["a symlink that replaces a directory", [directory("a"), symlink("a", "b")]],
  ["a symlink that replaces an implied directory", [{ path: "a/x" }, symlink("a", "b")]],
  ["a directory that replaces a symlink", [symlink("a", "b"), directory("a")]],
  [
    "a file twice",
    [
      { path: "a", content: "1" },
      { path: "./a", content: "2" },
    ],
  ],
  ["a hard link outside", [{ path: "a", type: "1", target: "../../etc/passwd" }]],
  ["an absolute hard link", [{ path: "a", type: "1", target: "/etc/passwd" }]],
  ["a hard link to a symlink", [symlink("s", "x"), { path: "a", type: "1", target: "s" }]],
  ["a hard link to nothing", [{ path: "a", type: "1", target: "b" }]],
  ["a hard link to a directory", [directory("d"), { path: "a", type: "1", target: "d" }]],
  ["a character device", [{ path: "a", type: "3" }]],
  ["a block device", [{ path: "a", type: "4" }]],
  ["a fifo", [{ path: "a", type: "6" }]],
  ["an endless name", [{ path: `${"a/".repeat(3000)}a`, format: "pax" }]],
])("an archive with %s is refused", (_, members) => {
  expect(() => readArchiveContents(tarOf([{ path: "good" }, ...members]))).toThrow(UserError);
});

test("the message names the entry and nothing of its content", () => {
  const archive = tarOf([{ path: "../evil", content: "payload" }]);
  expect(() => readArchiveContents(archive)).toThrow('because of its entry "../evil": its name holds "..".');
});

test("archives past their limits are refused", () => {
  const many = tarOf(["a", "b", "c"].map((path) => ({ path, content: "12345" })));
  const limits = { maximumEntries: 3, maximumBytes: 15 };
  expect(readArchiveContents(many, limits)).toHaveLength(3);
  expect(() => readArchiveContents(many, { ...limits, maximumEntries: 2 })).toThrow(
    '"c": there are more than 2 entries',
  );
  expect(() => readArchiveContents(many, { ...limits, maximumBytes: 14 })).toThrow('"c": there are more than 14 bytes');
});

test("hard links count with the size of what they copy", () => {
  const links = Array.from({ length: 10 }, (_, n): TarMember => ({ path: `l${n}`, type: "1", target: "a" }));
  const archive = tarOf([{ path: "a", content: "x".repeat(100) }, ...links]);
  expect(() => readArchiveContents(archive, { maximumEntries: 100, maximumBytes: 1000 })).toThrow(
    "more than 1000 bytes",
  );
});

test("set-user-id and sticky bits do not survive", () => {
  expect(
    readArchiveContents(
      tarOf([
        { path: "a", mode: 0o6755 },
        { path: "d", type: "5", mode: 0o1777 },
      ]),
    ),
  ).toMatchObject([
    { path: "a", mode: 0o755 },
    { path: "d", mode: 0o777 },
  ]);
});
