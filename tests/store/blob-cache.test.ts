import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { hexOf, sha256Of } from "../../src/oci/digest.ts";
import { createBlobCache } from "../../src/store/blob-cache.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cooper-blobs-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = new TextEncoder().encode("some content");
const digest = sha256Of(bytes);
const folder = () => join(root, "blobs", "sha256");

async function* chunksOf(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text);
}

test("what was written is read back, by another cache too", async () => {
  expect(await createBlobCache(root).read(digest)).toBeUndefined();
  await createBlobCache(root).write(digest, bytes);
  expect(await createBlobCache(root).read(digest)).toEqual(new Uint8Array(bytes));
  expect(await readdir(folder())).toEqual([hexOf(digest)]);
});

test("a stream is kept when its digest and size are right", async () => {
  const cache = createBlobCache(root);
  await cache.writeChunks({ digest, size: bytes.length }, chunksOf("some", " ", "content"));
  expect(new TextDecoder().decode(await cache.read(digest))).toBe("some content");
});

test("content under a wrong digest or of a wrong size is not kept", async () => {
  const cache = createBlobCache(root);
  const other = new TextEncoder().encode("other");
  await expect(cache.write(digest, other)).rejects.toThrow(UserError);
  await expect(cache.writeChunks({ digest, size: 12 }, chunksOf("some other!!"))).rejects.toThrow(
    "Digest did not match",
  );
  await expect(cache.writeChunks({ digest, size: 13 }, chunksOf("some content"))).rejects.toThrow(
    "Digest did not match",
  );
  await expect(cache.writeChunks({ digest, size: 4 }, chunksOf("some", " content"))).rejects.toThrow(
    "Digest did not match",
  );
  expect(await readdir(folder())).toEqual([]);
});

test("a stream that breaks leaves nothing", async () => {
  async function* broken() {
    yield* chunksOf("some");
    throw new UserError("it broke");
  }
  await expect(createBlobCache(root).writeChunks({ digest, size: 12 }, broken())).rejects.toThrow("it broke");
  expect(await readdir(folder())).toEqual([]);
});

test("an entry that was damaged counts as absent and is removed", async () => {
  const cache = createBlobCache(root);
  await cache.write(digest, bytes);
  await writeFile(join(folder(), hexOf(digest)), "some c0ntent");
  expect(await cache.read(digest)).toBeUndefined();
  expect(await readdir(folder())).toEqual([]);
});

test("writers at the same time leave one whole entry", async () => {
  const caches = Array.from({ length: 8 }, () => createBlobCache(root));
  await Promise.all(caches.map((cache) => cache.write(digest, bytes)));
  expect(await readdir(folder())).toEqual([hexOf(digest)]);
  expect(await createBlobCache(root).read(digest)).toEqual(new Uint8Array(bytes));
});
