import { lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hexOf } from "../oci/digest.ts";
import type { ImageStore } from "./image-store.ts";
import { type KeptStep, listSteps } from "./step-records.ts";
import { readContents, type StoredContents } from "./stored-contents.ts";
import { sweepWorkDirectories } from "./work-directory.ts";

/** What of a store stays. */
export interface KeptContents {
  readonly images: readonly StoredContents[];
  readonly steps: readonly KeptStep[];
}

/** What nothing that stays needs. */
export interface Garbage {
  /** Bytes of blobs; what layers have unpacked is not counted. */
  readonly size: number;
  /** Names of files in `blobs/sha256`, of folders in `layers`, of files in `steps`. */
  readonly blobs: readonly string[];
  readonly layers: readonly string[];
  readonly steps: readonly string[];
}

/** All that is in a store. */
export function readKept(store: ImageStore): KeptContents {
  return { images: readContents(store), steps: listSteps(store.folder) };
}

/** What none of these images and steps needs: blobs, unpacked layers, and records of steps that are left out or whose blob is gone. */
export function findGarbage({ folder }: ImageStore, { images, steps }: KeptContents): Garbage {
  const present = new Set(namesIn(join(folder, "blobs", "sha256")));
  const usable = steps.filter(({ descriptor }) => present.has(hexOf(descriptor.digest)));
  const blobs = new Set([
    ...images.flatMap((image) => [...image.blobs.keys()].map(hexOf)),
    ...usable.map(({ descriptor }) => hexOf(descriptor.digest)),
  ]);
  const layers = new Set([
    ...images.flatMap((image) => [...image.diffIds].map(hexOf)),
    ...usable.map(({ diffId }) => hexOf(diffId)),
  ]);
  const records = new Set(usable.map(({ key }) => `${key}.json`));
  const unused = [...present].filter((name) => !blobs.has(name));
  return {
    size: unused.reduce((sum, name) => sum + sizeOfFile(join(folder, "blobs", "sha256", name)), 0),
    blobs: unused,
    layers: namesIn(join(folder, "layers")).filter((name) => !layers.has(name)),
    steps: namesIn(join(folder, "steps")).filter((name) => !records.has(name)),
  };
}

/** Removes garbage, and what dead processes left; only while `store.alone` has the store. */
export async function collectGarbage(store: ImageStore, { blobs, layers, steps }: Garbage): Promise<void> {
  const { folder, removeTree } = store;
  for (const name of steps) rmSync(join(folder, "steps", name), { recursive: true, force: true });
  for (const name of blobs) rmSync(join(folder, "blobs", "sha256", name), { recursive: true, force: true });
  for (const name of layers) {
    // A layer that is there is whole: one that is half removed has another name.
    const going = join(folder, "layers", name.startsWith(".") ? name : `.${name}.removed`);
    if (!name.startsWith(".")) renameSync(join(folder, "layers", name), going);
    await removeTree(going);
  }
  await sweepWorkDirectories(join(folder, "work"), { removeTree, alone: true });
}

function sizeOfFile(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
