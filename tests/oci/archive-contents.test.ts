import { expect, test } from "bun:test";
import { readArchiveContents } from "../../src/oci/archive-contents.ts";
import { tarOf } from "../fakes/registry-tar.ts";

test("paths come out relative and normalised, the root left out", () => {
  const archive = tarOf([
    { path: "./", type: "5" },
    { path: ".//a/./b", content: "x" },
    { path: "./c/", type: "5" },
    { path: "c/", type: "5" },
  ]);
  expect(readArchiveContents(archive).map(({ kind, path }) => `${kind} ${path}`)).toEqual(["file a/b", "directory c"]);
});

test("names that differ in case only are two files", () => {
  expect(readArchiveContents(tarOf([{ path: "README" }, { path: "readme" }]))).toHaveLength(2);
});

test("symlinks that stay inside are kept as written, also dangling ones and ones through others", () => {
  const archive = tarOf([
    { path: "bin/tool", content: "x" },
    { path: "lib/tool", type: "2", target: "../bin/./tool" },
    { path: "sub", type: "2", target: "lib" },
    { path: "through", type: "2", target: "sub/../bin/tool" },
    { path: "dangling", type: "2", target: "later/absent" },
  ]);
  expect(readArchiveContents(archive).filter(({ kind }) => kind === "symlink")).toEqual([
    { kind: "symlink", path: "lib/tool", target: "../bin/./tool" },
    { kind: "symlink", path: "sub", target: "lib" },
    { kind: "symlink", path: "through", target: "sub/../bin/tool" },
    { kind: "symlink", path: "dangling", target: "later/absent" },
  ]);
});

test("a hard link becomes a copy of the file it names, mode included", () => {
  const archive = tarOf([
    { path: "./a", content: "x", mode: 0o755 },
    { path: "./b", type: "1", target: "./a" },
  ]);
  expect(readArchiveContents(archive)).toEqual([
    { kind: "file", path: "a", mode: 0o755, content: new TextEncoder().encode("x") },
    { kind: "file", path: "b", mode: 0o755, content: new TextEncoder().encode("x") },
  ]);
});
