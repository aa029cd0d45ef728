import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A tree to assemble: so many files, so many bytes in all. */
export interface Tree {
  readonly name: string;
  readonly title: string;
  readonly files: number;
  readonly bytes: number;
}

/** What is measured, smallest first. */
export const TREES: readonly Tree[] = [
  { name: "mixed", title: "100 MB, 8,900 files", files: 8_900, bytes: 100e6 },
  { name: "large", title: "1 GB, 40,000 files", files: 40_000, bytes: 1e9 },
  { name: "small", title: "200,000 small files", files: 200_000, bytes: 60e6 },
  { name: "single", title: "one file of 3 GB", files: 1, bytes: 3e9 },
];

const chunkSize = 1024 * 1024;

/** Writes a tree into a new folder; the same tree every time. Sizes scatter around their mean as those of real files do. */
export function makeTree(directory: string, { name, files, bytes }: Tree): string {
  const root = join(directory, name);
  const random = createRandom(files);
  const pool = makePool(random);
  const mean = bytes / files;
  for (let index = 0; index < files; index++) {
    const folder = join(root, `d${Math.floor(index / 900)}`, `s${Math.floor(index / 30) % 30}`);
    if (index % 30 === 0) mkdirSync(folder, { recursive: true });
    const size = files === 1 ? bytes : Math.round(-Math.log(1 - random()) * mean);
    if (size > chunkSize) writeLarge(join(folder, `f${index}`), { size, pool, random });
    else writeFileSync(join(folder, `f${index}`), slice(pool, { size, random }));
  }
  return root;
}

function writeLarge(path: string, content: { size: number; pool: Uint8Array; random: () => number }): void {
  const file = openSync(path, "w");
  for (let left = content.size; left > 0; left -= chunkSize) {
    writeSync(file, slice(content.pool, { size: Math.min(left, chunkSize), random: content.random }));
  }
  closeSync(file);
}

function slice(pool: Uint8Array, { size, random }: { size: number; random: () => number }): Uint8Array {
  const offset = Math.floor(random() * (pool.length - size));
  return pool.subarray(offset, offset + size);
}

/** Words, numbers and noise, which gzip makes about three times smaller: like source text and programs together. */
function makePool(random: () => number): Uint8Array {
  const words = Array.from({ length: 4000 }, () => Math.floor(random() * 36 ** 6).toString(36));
  const parts: string[] = [];
  for (let length = 0; length < 16 * chunkSize; ) {
    const common = Math.floor(random() ** 3 * words.length);
    const part = random() < 0.12 ? Math.floor(random() * 2 ** 40).toString(36) : (words[common] ?? "");
    parts.push(part);
    length += part.length + 1;
  }
  return new TextEncoder().encode(parts.join(" "));
}

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
