import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/workflows/open-image-store.ts";
import { removeImages } from "../../src/workflows/remove-images.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { writeStoredImage } from "../store/stored-image.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-remove-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let stores = 0;

/** Tools with a store of their own, and no engine. */
function fresh() {
  stores += 1;
  const recording = recordingTools(join(directory, String(stores)));
  const store = openStore(recording.tools);
  const remove = (...references: string[]) =>
    removeImages(references, { scope: "all", dockerPath: undefined }, recording.tools);
  const blobs = () => readdirSync(join(store.folder, "blobs", "sha256")).length;
  return { store, remove, blobs, messages: recording.messages };
}

test("a name goes, and with the last one what the image had", async () => {
  const { store, remove, blobs } = fresh();
  await writeStoredImage(store, { names: ["app:1", "app:2"] });
  expect(await remove("app:1")).toEqual([{ where: "store", name: "docker.io/library/app:1" }]);
  expect(blobs()).toBe(3);
  expect(await remove("store:docker.io/library/app:2")).toEqual([{ where: "store", name: "docker.io/library/app:2" }]);
  expect(blobs()).toBe(0);
});

test.each([12, 64])("%i digits of an id stand for all names of an image", async (count) => {
  const { store, remove } = fresh();
  const { digest } = await writeStoredImage(store, { names: ["app:1", "app:2"] });
  expect(await remove(digest.slice(7, 7 + count))).toHaveLength(2);
  expect(store.entries()).toEqual([]);
});

test("a reference with a digest stands for all names of what it leads to", async () => {
  const { store, remove } = fresh();
  const { digest } = await writeStoredImage(store, { names: ["app:1", "app:2"] });
  expect(await remove(`elsewhere/app@${digest}`)).toHaveLength(2);
});

test("when one of several is nowhere, nothing is removed", async () => {
  const { store, remove } = fresh();
  await writeStoredImage(store, { names: ["app:1"] });
  await expect(remove("app:1", "app:3")).rejects.toThrow(
    "Neither cooper's store nor the engine has an image called app:3.",
  );
  expect(store.entries()).toHaveLength(1);
});

test("an engine's image is not looked for in the store", async () => {
  const { store, remove } = fresh();
  await writeStoredImage(store, { names: ["app:1"] });
  await expect(remove("engine:app:1")).rejects.toThrow("The engine does not have an image called app:1.");
});

test("what somebody is just using stays until it is pruned, and that is said", async () => {
  const { store, remove, blobs, messages } = fresh();
  await writeStoredImage(store, { names: ["app:1"] });
  const lock = await store.use();
  await remove("app:1");
  expect([store.entries().length, blobs()]).toEqual([0, 3]);
  expect(messages.join("")).toContain("cooper image prune frees the space");
  lock.release();
});
