import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDockerignore } from "../../src/dockerfile/dockerignore.ts";
import { openFileDigests } from "../../src/store/file-digests.ts";
import { digestContext } from "../../src/workflows/digest-context.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-context-"));
afterAll(() => rmSync(root, { recursive: true }));
const ALL = createDockerignore("");
let count = 0;

/** A context with these files, written in this order. */
function contextOf(files: Readonly<Record<string, string>>): string {
  count += 1;
  const folder = join(root, `context-${count}`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const FILES = { "a.txt": "a", "dir/b.txt": "b", "dir/sub/c.txt": "c", Dockerfile: "FROM scratch\n" };

test("the digest depends neither on the path, nor on times, nor on the order in which files were written", async () => {
  const first = contextOf(FILES);
  const second = contextOf(Object.fromEntries(Object.entries(FILES).reverse()));
  utimesSync(join(second, "a.txt"), 1, 1);
  expect(await digestContext(second, ALL)).toBe(await digestContext(first, ALL));
});

test("the digest does not depend on the umask of whoever checked the project out", async () => {
  const [strict, loose] = [contextOf(FILES), contextOf(FILES)];
  chmodSync(join(strict, "a.txt"), 0o644);
  chmodSync(join(loose, "a.txt"), 0o664);
  chmodSync(join(strict, "dir"), 0o755);
  chmodSync(join(loose, "dir"), 0o775);
  expect(await digestContext(loose, ALL)).toBe(await digestContext(strict, ALL));
});

test("content, name, mode, link target and an empty folder all count", async () => {
  const digests = [await digestContext(contextOf(FILES), ALL)];
  digests.push(await digestContext(contextOf({ ...FILES, "a.txt": "A" }), ALL));
  digests.push(await digestContext(contextOf({ ...FILES, "a2.txt": "" }), ALL));
  const executable = contextOf(FILES);
  chmodSync(join(executable, "a.txt"), 0o755);
  digests.push(await digestContext(executable, ALL));
  for (const target of ["a.txt", "dir"]) {
    const linked = contextOf(FILES);
    symlinkSync(target, join(linked, "link"));
    digests.push(await digestContext(linked, ALL));
  }
  const emptied = contextOf(FILES);
  mkdirSync(join(emptied, "empty"));
  digests.push(await digestContext(emptied, ALL));
  expect(new Set(digests).size).toBe(digests.length);
});

test("what .dockerignore leaves out does not count, what it takes back in does", async () => {
  const filter = createDockerignore("*.log\nnode_modules\n!keep.log\n");
  const plain = contextOf({ ...FILES, "keep.log": "k" });
  const cluttered = contextOf({ ...FILES, "keep.log": "k", "drop.log": "d", "node_modules/x/y": "z" });
  expect(await digestContext(cluttered, filter)).toBe(await digestContext(plain, filter));
  expect(await digestContext(contextOf({ ...FILES, "keep.log": "K" }), filter)).not.toBe(
    await digestContext(plain, filter),
  );
});

test("a file that cannot be read is named", async () => {
  const folder = contextOf(FILES);
  symlinkSync("nowhere", join(folder, "dangling"));
  // A dangling link is content; a folder in the place of a file's bytes stands for what cannot be read, also for root.
  expect(await digestContext(folder, ALL)).toStartWith("sha256:");
  await expect(digestContext(join(folder, "missing"), ALL)).rejects.toThrow(
    `Could not read the build context's folder ${join(folder, "missing")}`,
  );
});

test("files that have not changed are not read again, files that have are", async () => {
  const cache = join(root, "cache");
  const later = () => Date.now() + 10_000;
  const folder = contextOf(FILES);
  const fresh = await digestContext(folder, ALL);
  expect(await digestContext(folder, ALL, await openFileDigests(cache, folder, later))).toBe(fresh);

  const asked: string[] = [];
  const known = await openFileDigests(cache, folder, later);
  const watched = {
    ...known,
    find: (...args: Parameters<typeof known.find>) => {
      const found = known.find(...args);
      if (found === undefined) asked.push(args[0]);
      return found;
    },
  };
  expect(await digestContext(folder, ALL, watched)).toBe(fresh);
  expect(asked).toEqual([]);

  writeFileSync(join(folder, "a.txt"), "x");
  const changed = await digestContext(folder, ALL, await openFileDigests(cache, folder, later));
  expect(changed).toBe(await digestContext(folder, ALL));
  expect(changed).not.toBe(fresh);
});

test("a file written just now is read again, as it could change unseen", async () => {
  const cache = join(root, "cache-now");
  const folder = contextOf(FILES);
  await digestContext(folder, ALL, await openFileDigests(cache, folder, Date.now));
  const known = await openFileDigests(cache, folder, Date.now);
  expect(known.find("a.txt", { size: 1n, mtimeNs: 0n, ctimeNs: 0n, ino: 0n })).toBeUndefined();
  expect(readdirSync(root)).not.toContain("cache-now");
});

test("a damaged record of digests is as good as none", async () => {
  const cache = join(root, "cache-damaged");
  const folder = contextOf(FILES);
  const later = () => Date.now() + 10_000;
  const fresh = await digestContext(folder, ALL, await openFileDigests(cache, folder, later));
  const [record] = readdirSync(join(cache, "file-digests"));
  writeFileSync(join(cache, "file-digests", record ?? ""), "{not json");
  expect(await digestContext(folder, ALL, await openFileDigests(cache, folder, later))).toBe(fresh);
  cpSync(folder, `${folder}-copy`, { recursive: true });
  expect(await digestContext(`${folder}-copy`, ALL, await openFileDigests(cache, `${folder}-copy`, later))).toBe(fresh);
});

test("the lockfile that a build writes into its own context changes nothing", async () => {
  const fresh = await digestContext(contextOf(FILES), ALL);
  const locked = { ...FILES, ".devcontainer/devcontainer-lock.json": "{}", ".devcontainer-lock.json": "{}" };
  const withFolder = await digestContext(contextOf({ ...FILES, ".devcontainer/x": "" }), ALL);
  expect(await digestContext(contextOf({ ...FILES, ".devcontainer-lock.json": "{}" }), ALL)).toBe(fresh);
  expect(await digestContext(contextOf({ ...locked, ".devcontainer/x": "" }), ALL)).toBe(withFolder);
});
