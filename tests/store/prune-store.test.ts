import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, hexOf, sha256Of } from "../../src/oci/digest.ts";
import { indexDocument } from "../../src/oci/image.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import type { RetentionRule } from "../../src/oci/retention.ts";
import { type ImageStore, openImageStore } from "../../src/store/image-store.ts";
import { pruneStore } from "../../src/store/prune-store.ts";
import { listSteps, writeStep } from "../../src/store/step-records.ts";
import { writeStoredImage } from "./stored-image.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-prune-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const signal = new AbortController().signal;
let stores = 0;

function freshStore(removeTree?: (path: string) => Promise<void>): ImageStore {
  stores += 1;
  const ports = removeTree === undefined ? { signal } : { signal, removeTree };
  return openImageStore(join(directory, `store-${stores}`), ports);
}

const superseded = (...images: string[]): RetentionRule => ({ kind: "superseded", images: new Set(images) });
const prune = (store: ImageStore, rule: RetentionRule = superseded(), dryRun = false) =>
  pruneStore(store, { rule: () => rule, dryRun, patience: 0 });
const blobsOf = (store: ImageStore) => readdirSync(join(store.folder, "blobs", "sha256")).toSorted();
const has = (store: ImageStore, name: string) => store.find(parseImageReference(name)).length > 0;
const layerOf = (label: string) => sha256Of(`layer of ${label}`);

function unpack(store: ImageStore, diffId: Digest): void {
  mkdirSync(store.layerPath(diffId), { recursive: true });
  writeFileSync(join(store.layerPath(diffId), "file"), Buffer.alloc(100_000));
}

function keepStep(store: ImageStore, key: string, label: string): void {
  const [diffId, size] = [layerOf(label), `layer of ${label}`.length];
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: diffId, size, annotations: {} };
  writeStep(store.folder, key.repeat(64), { diffId, descriptor });
}

test("an image goes with all that no other one needs", async () => {
  const store = freshStore();
  const gone = await writeStoredImage(store, { names: ["gone:1", "gone:2"], label: "shared", labels: { a: "1" } });
  const kept = await writeStoredImage(store, { names: ["kept:1"], label: "shared" });
  const before = blobsOf(store);
  const dry = await prune(store, superseded(gone.digest), true);
  expect([dry?.images.map(({ names }) => names.length), blobsOf(store)]).toEqual([[2], before]);
  const pruned = await prune(store, superseded(gone.digest));
  expect(pruned?.garbage).toEqual(dry?.garbage ?? { size: 0, blobs: [], layers: [], steps: [] });
  expect([has(store, "gone:1"), has(store, "gone:2"), has(store, "kept:1")]).toEqual([false, false, true]);
  // The manifest and the config: the layer is the other's too.
  expect([before.length, blobsOf(store).length, pruned?.garbage.blobs.length]).toEqual([5, 3, 2]);
  expect(blobsOf(store)).toContain(hexOf(kept.digest));
});

test("unpacked layers stay while an image or a step has them, and are removed by who may", async () => {
  const removed: string[] = [];
  const store = freshStore(async (path) => {
    removed.push(path);
    rmSync(path, { recursive: true, force: true });
  });
  const gone = await writeStoredImage(store, { names: ["gone:1"], label: "gone" });
  await writeStoredImage(store, { names: ["kept:1"], label: "kept" });
  for (const label of ["gone", "kept", "stray"]) unpack(store, layerOf(label));
  removed.length = 0;
  await prune(store);
  const going = (label: string) => join(store.folder, "layers", `.${hexOf(layerOf(label))}.removed`);
  expect(removed.filter((path) => path.includes("layers"))).toEqual([going("stray")]);
  await prune(store, superseded(gone.digest));
  expect(removed.filter((path) => path.includes("layers"))).toEqual([going("stray"), going("gone")]);
  expect(readdirSync(join(store.folder, "layers"))).toEqual([hexOf(layerOf("kept"))]);
});

test("a layer that is half removed is never taken for a whole one, and goes the next time", async () => {
  let isBroken = true;
  const store = freshStore(async (path) => {
    if (isBroken && path.includes("layers")) throw new Error("killed");
    rmSync(path, { recursive: true, force: true });
  });
  await writeStoredImage(store, { names: ["kept:1"], label: "kept" });
  unpack(store, layerOf("stray"));
  await expect(prune(store)).rejects.toThrow("killed");
  expect(existsSync(store.layerPath(layerOf("stray")))).toBe(false);
  isBroken = false;
  await prune(store);
  expect(readdirSync(join(store.folder, "layers"))).toEqual([]);
});

test("a step is kept with its blob and its layer for as long as it is used, and is forgotten without its blob", async () => {
  const store = freshStore();
  const { digest } = await writeStoredImage(store, { names: ["app:1"], label: "used" });
  keepStep(store, "a", "used");
  keepStep(store, "b", "lost");
  unpack(store, layerOf("used"));
  await prune(store);
  expect(listSteps(store.folder).map(({ key }) => key[0])).toEqual(["a"]);
  const young: RetentionRule = { kind: "unused", usedBefore: 1000, keepSize: undefined };
  utimesSync(store.blobPath(digest), 0, 0);
  expect((await prune(store, young))?.images).toHaveLength(1);
  // Its step was used since.
  expect([existsSync(store.layerPath(layerOf("used"))), listSteps(store.folder).length]).toEqual([true, 1]);
  await prune(store);
  expect([existsSync(store.layerPath(layerOf("used"))), blobsOf(store)]).toEqual([false, []]);
});

test("by size the least recently used go first, and what is unpacked counts", async () => {
  const store = freshStore();
  const labels = ["one", "two", "three"];
  for (const [index, label] of labels.entries()) {
    const { digest } = await writeStoredImage(store, { names: [`${label}:1`], label });
    utimesSync(store.blobPath(digest), 1000 * (index + 1), 1000 * (index + 1));
    unpack(store, layerOf(label));
  }
  const keep = (keepSize: number): RetentionRule => ({ kind: "unused", usedBefore: undefined, keepSize });
  expect((await prune(store, keep(1_000_000)))?.images).toEqual([]);
  expect((await prune(store, keep(220_000)))?.images.map(({ names }) => names[0])).toEqual(["docker.io/library/one:1"]);
  // Used again, the second is newer than the third.
  await (await store.openSource(parseImageReference("two:1"))).close();
  await prune(store, keep(120_000));
  expect([has(store, "two:1"), has(store, "three:1")]).toEqual([true, false]);
});

test("what an image of which the root was lost had goes, and so does its name", async () => {
  const store = freshStore();
  const { digest } = await writeStoredImage(store, { names: ["app:1"], label: "damaged" });
  rmSync(store.blobPath(digest));
  await prune(store);
  expect([has(store, "app:1"), blobsOf(store)]).toEqual([false, []]);
});

test("all images of an index stay with it", async () => {
  const store = freshStore();
  const manifest = await writeStoredImage(store, { names: ["single:1"], label: "single" });
  const sink = await store.openSink({ names: [parseImageReference("multi:1")] });
  await sink.finish(indexDocument([{ manifest, platform: parsePlatform("linux/amd64") }], {}));
  await store.untag(["docker.io/library/single:1"]);
  await prune(store);
  expect(blobsOf(store)).toHaveLength(4);
});

test("a store that somebody uses is left alone", async () => {
  const store = freshStore();
  const { digest } = await writeStoredImage(store, { names: ["app:1"] });
  const lock = await store.use();
  expect(await prune(store, superseded(digest))).toBeUndefined();
  expect(has(store, "app:1")).toBe(true);
  lock.release();
  expect((await prune(store, superseded(digest)))?.images).toHaveLength(1);
});

test("where there is no store, pruning makes none", async () => {
  const store = freshStore();
  expect(await prune(store)).toEqual({ images: [], garbage: { size: 0, blobs: [], layers: [], steps: [] } });
  expect(existsSync(store.folder)).toBe(false);
});
