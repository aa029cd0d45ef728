import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import type { ImageOrigin } from "../../src/oci/store-entries.ts";
import { type ImageStore, openImageStore } from "../../src/store/image-store.ts";
import { writeStoredImage } from "./stored-image.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-store-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const signal = new AbortController().signal;
let stores = 0;

function freshStore(): ImageStore {
  stores += 1;
  return openImageStore(join(directory, `store-${stores}`), { signal });
}

const write = (store: ImageStore, names: readonly string[], options: { label?: string; origin?: ImageOrigin } = {}) =>
  writeStoredImage(store, { names, ...options });
const found = (store: ImageStore, reference: string) =>
  store.find(parseImageReference(reference)).map((entry) => entry.digest);

test("an image is found under its name however that is written", async () => {
  const store = freshStore();
  const { digest } = await write(store, ["debian:bookworm-slim"]);
  for (const name of [
    "debian:bookworm-slim",
    "docker.io/library/debian:bookworm-slim",
    "index.docker.io/debian:bookworm-slim",
  ])
    expect(found(store, name)).toEqual([digest]);
  expect(found(store, "debian:bookworm")).toEqual([]);
  expect(found(store, "ghcr.io/library/debian:bookworm-slim")).toEqual([]);
});

test("a store that was never written to has nothing, and looking makes nothing", () => {
  const store = freshStore();
  expect(found(store, "debian")).toEqual([]);
  expect(existsSync(store.folder)).toBe(false);
});

test("a store is its user's alone", async () => {
  const store = freshStore();
  await write(store, ["a:1"]);
  expect(statSync(store.folder).mode & 0o777).toBe(0o700);
});

test("one image may have several names, and a name moves to the image that gets it last", async () => {
  const store = freshStore();
  const older = await write(store, ["app:1", "app:latest"], { label: "older" });
  const newer = await write(store, ["app:2", "app:latest", "docker.io/library/app:latest"], { label: "newer" });
  expect([found(store, "app:1"), found(store, "app:latest")]).toEqual([[older.digest], [newer.digest]]);
  expect(store.entries()).toHaveLength(3);
});

test("a digest finds an image whatever it is called", async () => {
  const store = freshStore();
  const { digest } = await write(store, ["localhost/app:1"]);
  expect(found(store, `debian@${digest}`)).toEqual([digest]);
  expect(found(store, `debian@sha256:${"0".repeat(64)}`)).toEqual([]);
});

test("an image whose platforms were left out on the way is found by the digest that it was pulled by", async () => {
  const store = freshStore();
  const origin: ImageOrigin = { name: "docker.io/library/debian", digest: `sha256:${"a".repeat(64)}` };
  const { digest } = await write(store, ["debian:12"], { origin });
  expect(found(store, `debian@${origin.digest}`)).toEqual([digest]);
  expect(found(store, `debian:13@${origin.digest}`)).toEqual([digest]);
});

test("names are given and taken away; an image without one is no longer found", async () => {
  const store = freshStore();
  const { digest } = await write(store, ["app:1"]);
  const [entry] = store.find(parseImageReference("app:1"));
  if (entry === undefined) throw new Error("it was just written");
  await store.tag(entry, [parseImageReference("app:2")]);
  expect(found(store, "app:2")).toEqual([digest]);
  expect(await store.untag(["docker.io/library/app:1", "docker.io/library/none:1"])).toEqual([
    "docker.io/library/app:1",
  ]);
  expect([found(store, "app:1"), found(store, "app:2")]).toEqual([[], [digest]]);
  expect(await store.untag([digest])).toEqual(["docker.io/library/app:2"]);
  expect(store.entries()).toEqual([]);
});

test("a new name keeps what the image was pulled as", async () => {
  const store = freshStore();
  const origin: ImageOrigin = { name: "docker.io/library/debian", digest: `sha256:${"a".repeat(64)}` };
  const { digest } = await write(store, ["debian:12"], { origin });
  const [entry] = store.find(parseImageReference("debian:12"));
  if (entry === undefined) throw new Error("it was just written");
  await store.tag(entry, [parseImageReference("base:1")]);
  await store.untag(["docker.io/library/debian:12"]);
  expect(found(store, `debian@${origin.digest}`)).toEqual([digest]);
});

test("what was written is read back, checked, and nothing but the image stays", async () => {
  const store = freshStore();
  await write(store, ["app:1"], { label: "content" });
  const source = await store.openSource(parseImageReference("app:1"));
  const { manifest } = source.root;
  const layers: readonly Descriptor[] = manifest.kind === "image" ? manifest.layers : [];
  const parts = await Promise.all(layers.map((layer) => Array.fromAsync(source.open(layer))));
  expect(parts.map((chunks) => Buffer.concat(chunks).toString())).toEqual(["layer of content"]);
  await source.close();
  expect(readdirSync(join(store.folder, "work"))).toEqual([]);
  expect(readdirSync(store.folder).toSorted()).toEqual([
    "blobs",
    "index.json",
    "index.lock",
    "lock",
    "oci-layout",
    "work",
  ]);
});

test("an image that is not there is an error that says how to get it", async () => {
  const opened = freshStore().openSource(parseImageReference("debian:12"));
  await expect(opened).rejects.toMatchObject({
    message: "cooper's store has no image called docker.io/library/debian:12.",
    hint: expect.stringContaining("cooper image pull docker.io/library/debian:12 store:docker.io/library/debian:12"),
  });
});

test("an image that is given up leaves its names where they were", async () => {
  const store = freshStore();
  const older = await write(store, ["app:1"], { label: "older" });
  const sink = await store.openSink({ names: [parseImageReference("app:1")] });
  const broken = sink.writeNew(async (bytes) => {
    bytes(Buffer.from("half"));
    throw new Error("the disk is full");
  });
  await expect(broken).rejects.toThrow("the disk is full");
  await sink.discard();
  expect(found(store, "app:1")).toEqual([older.digest]);
  expect(readdirSync(join(store.folder, "work"))).toEqual([]);
});

test("using an image is remembered", async () => {
  const store = freshStore();
  const { digest } = await write(store, ["app:1"]);
  const path = store.blobPath(digest);
  utimesSync(path, 1000, 1000);
  await (await store.openSource(parseImageReference("app:1"))).close();
  expect(statSync(path).mtimeMs).toBeGreaterThan(1_000_000);
});

test("a document that was damaged is not used, and makes room for a good one", async () => {
  const store = freshStore();
  const descriptor = await write(store, ["app:1"]);
  const good = readFileSync(store.blobPath(descriptor.digest));
  expect(store.readDocument(descriptor)).toEqual(good);
  writeFileSync(store.blobPath(descriptor.digest), good.fill(32, 0, 1));
  expect(store.readDocument(descriptor)).toBeUndefined();
  expect(existsSync(store.blobPath(descriptor.digest))).toBe(false);
});

test("an index.json that is broken is an error that names the file", async () => {
  const store = freshStore();
  await write(store, ["app:1"]);
  writeFileSync(join(store.folder, "index.json"), "{");
  expect(() => store.entries()).toThrow(join(store.folder, "index.json"));
});
