import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../oci/digest.ts";
import { chooseRemovals, type RetainedItem, type RetentionRule } from "../oci/retention.ts";
import { collectGarbage, findGarbage, type Garbage, type KeptContents, readKept } from "./collect-garbage.ts";
import type { ImageStore } from "./image-store.ts";
import { readContents, type StoredContents } from "./stored-contents.ts";

/** What pruning took away, or would. */
export interface PrunedStore {
  readonly images: readonly StoredContents[];
  readonly garbage: Garbage;
}

/** How a store is pruned. */
export interface PruneOptions {
  /** By what is in the store. */
  readonly rule: (images: readonly StoredContents[]) => RetentionRule;
  readonly dryRun: boolean;
  /** How long others that use the store are waited for. */
  readonly patience: number;
}

const NOTHING: PrunedStore = { images: [], garbage: { size: 0, blobs: [], layers: [], steps: [] } };

/**
 * Removes images and steps by a rule, and then what nothing needs any more; undefined, and nothing done, when others go on using the store.
 * An item's parts are its blobs and, where the rule is about size, the unpacked layers.
 */
export async function pruneStore(store: ImageStore, options: PruneOptions): Promise<PrunedStore | undefined> {
  if (!existsSync(store.folder)) return NOTHING;
  if (options.dryRun) {
    const lock = await store.use();
    try {
      return choose(store, options);
    } finally {
      lock.release();
    }
  }
  return store.alone(options.patience, async () => {
    const pruned = choose(store, options);
    const whole = new Set(readContents(store).map(({ root }) => root.digest));
    const broken = store.entries().filter(({ digest }) => !whole.has(digest));
    await store.untag([...pruned.images.map(({ root }) => root.digest), ...broken.map(({ digest }) => digest)]);
    await collectGarbage(store, pruned.garbage);
    return pruned;
  });
}

function choose(store: ImageStore, { rule }: PruneOptions): PrunedStore {
  const all = readKept(store);
  const chosen = rule(all.images);
  const measure = chosen.kind === "unused" && chosen.keepSize !== undefined ? createMeasure(store) : undefined;
  const going = new Set(chooseRemovals(itemsOf(all, measure), chosen).map(({ kind, id }) => `${kind} ${id}`));
  const kept = {
    images: all.images.filter(({ root }) => !going.has(`image ${root.digest}`)),
    steps: all.steps.filter(({ key }) => !going.has(`step ${key}`)),
  };
  return {
    images: all.images.filter(({ root }) => going.has(`image ${root.digest}`)),
    garbage: findGarbage(store, kept),
  };
}

type Measure = (diffId: Digest) => number;

function itemsOf({ images, steps }: KeptContents, measure: Measure | undefined): readonly RetainedItem[] {
  const layers = (diffIds: Iterable<Digest>): [string, number][] =>
    measure === undefined ? [] : [...diffIds].map((diffId) => [`layer ${diffId}`, measure(diffId)]);
  return [
    ...images.map(({ root, lastUsed, blobs, diffIds }) => ({
      kind: "image" as const,
      id: root.digest,
      lastUsed,
      parts: new Map<string, number>([...blobs, ...layers(diffIds)]),
    })),
    ...steps.map(({ key, lastUsed, descriptor, diffId }) => ({
      kind: "step" as const,
      id: key,
      lastUsed,
      parts: new Map<string, number>([[descriptor.digest, descriptor.size], ...layers([diffId])]),
    })),
  ];
}

/** Bytes on disk of an unpacked layer, as far as it can be looked into; each is measured once. */
function createMeasure(store: ImageStore): Measure {
  const known = new Map<string, number>();
  return (diffId) => {
    const size = known.get(diffId) ?? measureTree(store.layerPath(diffId));
    known.set(diffId, size);
    return size;
  };
}

function measureTree(path: string): number {
  let size = 0;
  for (const pending = [path]; pending.length > 0; ) {
    const next = pending.pop() ?? path;
    try {
      const stats = lstatSync(next);
      size += stats.blocks * 512;
      if (stats.isDirectory()) pending.push(...readdirSync(next).map((name) => join(next, name)));
    } catch {
      // It is gone, or a subordinate id's own business.
    }
  }
  return size;
}
