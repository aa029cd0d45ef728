import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { readArchive, unpackArchive } from "../../src/store/unpack.ts";
import { tarOf } from "../fakes/registry-tar.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cooper-unpack-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const archive = tarOf([
  { path: "./", type: "5", mode: 0o700 },
  { path: "./install.sh", content: "#!/bin/sh\n", mode: 0o755 },
  { path: "./lib/deep/data", content: "data", mode: 0o644 },
  { path: "./lib/deep/", type: "5", mode: 0o555 },
  { path: "./open", content: "", mode: 0o666 },
  { path: "./link", type: "2", target: "lib/deep/data" },
  { path: "./copy", type: "1", target: "./install.sh" },
]);

async function modeOf(path: string): Promise<string> {
  return ((await stat(join(root, path))).mode & 0o7777).toString(8);
}

test("an archive is unpacked with its files, links and modes, whatever the umask", async () => {
  const umask = process.umask(0o077);
  try {
    await unpackArchive(archive, join(root, "out"));
  } finally {
    process.umask(umask);
  }
  expect(await readFile(join(root, "out/link"), "utf8")).toBe("data");
  expect(await readlink(join(root, "out/link"))).toBe("lib/deep/data");
  expect(await readFile(join(root, "out/copy"), "utf8")).toBe("#!/bin/sh\n");
  expect((await lstat(join(root, "out/copy"))).nlink).toBe(1);
  expect(
    await Promise.all(["", "install.sh", "copy", "open", "lib", "lib/deep"].map((path) => modeOf(`out/${path}`))),
  ).toEqual(["755", "755", "755", "666", "755", "755"]);
  expect(await readdir(root)).toEqual(["out"]);
});

test("a gzipped archive is unpacked like a plain one", async () => {
  await unpackArchive(Bun.gzipSync(archive), join(root, "out"));
  expect((await readdir(join(root, "out"))).sort()).toEqual(["copy", "install.sh", "lib", "link", "open"]);
});

test("missing parents of the folder are made, an empty folder is taken over", async () => {
  await unpackArchive(archive, join(root, "a/b/out"));
  await mkdir(join(root, "empty"));
  await unpackArchive(archive, join(root, "empty"));
  expect(await readdir(join(root, "empty"))).toEqual(await readdir(join(root, "a/b/out")));
});

test("a folder that holds something is left alone", async () => {
  await mkdir(join(root, "out"));
  await writeFile(join(root, "out/mine"), "mine");
  await expect(unpackArchive(archive, join(root, "out"))).rejects.toThrow("there is something already");
  expect(await readdir(join(root, "out"))).toEqual(["mine"]);
});

test("an archive that is refused leaves nothing behind", async () => {
  const hostile = tarOf([
    { path: "good", content: "x" },
    { path: "../evil", content: "x" },
  ]);
  await expect(unpackArchive(hostile, join(root, "out"))).rejects.toThrow('its entry "../evil"');
  expect(await readdir(root)).toEqual([]);
});

test("writers of the same folder at the same time leave one whole result", async () => {
  const results = await Promise.allSettled([1, 2, 3].map(() => unpackArchive(archive, join(root, "out"))));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(root)).toEqual(["out"]);
});

test("a single file can be read without unpacking anything", async () => {
  const contents = await readArchive(Bun.gzipSync(archive));
  const data = contents.find(({ path }) => path === "lib/deep/data");
  expect(data?.kind === "file" && new TextDecoder().decode(data.content)).toBe("data");
});

test("damaged gzip is refused", async () => {
  const gzip = Bun.gzipSync(archive);
  await expect(readArchive(gzip.subarray(0, gzip.length - 10))).rejects.toThrow(UserError);
});
