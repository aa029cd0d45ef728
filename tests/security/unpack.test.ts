import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArchive, unpackArchive } from "../../src/store/unpack.ts";
import { type TarMember, tarOf } from "../fakes/registry-tar.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cooper-hostile-"));
  await mkdir(join(root, "outside"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.each<[string, TarMember[]]>([
  ["a name", [{ path: "../outside/evil", content: "x" }]],
  [
    "a symlink",
    [
      { path: "link", type: "2", target: "../outside" },
      { path: "link/evil", content: "x" },
    ],
  ],
  [
    "a symlink of another case",
    [
      { path: "link", type: "2", target: "../outside" },
      { path: "LINK/evil", content: "x" },
    ],
  ],
  ["a hard link", [{ path: "link", type: "1", target: "../outside/evil" }]],
])("nothing lands outside through %s", async (_, members) => {
  await expect(unpackArchive(tarOf(members), join(root, "out"))).rejects.toThrow("The archive is refused");
  expect(await readdir(root)).toEqual(["outside"]);
  expect(await readdir(join(root, "outside"))).toEqual([]);
});

test("a gzip bomb is refused before it fills the memory", async () => {
  const limits = { maximumEntries: 10, maximumBytes: 1000 };
  const bomb = Bun.gzipSync(tarOf([{ path: "zeros", content: new Uint8Array(4 * 1024 * 1024) }]));
  expect(bomb.length).toBeLessThan(20_000);
  await expect(readArchive(bomb, limits)).rejects.toThrow("too large");
});

test("a plain archive past the limit is refused as well", async () => {
  const limits = { maximumEntries: 1, maximumBytes: 1000 };
  const large = tarOf([{ path: "zeros", content: new Uint8Array(10_000) }]);
  await expect(readArchive(large, limits)).rejects.toThrow("too large");
});

test("thousands of long symlinks through each other are judged, not followed for ever", async () => {
  const chain = Array.from(
    { length: 2000 },
    (_, n): TarMember => ({ path: `l${n}`, type: "2", target: `l${n + 1}/../x` }),
  );
  await expect(readArchive(tarOf(chain))).rejects.toThrow("leads too far or in a circle");
});
