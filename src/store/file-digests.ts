import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { hexOf, sha256Of } from "../oci/digest.ts";

/** What tells, short of reading it, that a file is the one that was read before; times in nanoseconds. */
export interface FileState {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** Digests of a folder's files from earlier runs: a file whose state is the same need not be read again. */
export interface FileDigests {
  /** The digest (hex) of a file in this state; undefined when it must be read. */
  readonly find: (path: string, state: FileState) => string | undefined;
  readonly remember: (path: string, state: FileState, digest: string) => void;
  /** Keeps what was found or remembered in this run; a failure to do so is no failure of the run. */
  readonly save: () => Promise<void>;
}

const schema = v.record(v.string(), v.tuple([v.string(), v.string()]));

// A file written just before it was read can be written again without any of its times changing.
const SETTLED_NANOSECONDS = 2_000_000_000n;

/** The digests kept in cooper's cache for the folder at an absolute path; `now` gives milliseconds since the epoch. */
export async function openFileDigests(cacheFolder: string, folder: string, now: () => number): Promise<FileDigests> {
  const file = join(cacheFolder, "file-digests", `${hexOf(sha256Of(folder))}.json`);
  const known = await readKnown(file);
  const kept = new Map<string, readonly [state: string, digest: string]>();
  let changed = false;
  return {
    find: (path, state) => {
      const entry = known.get(path);
      if (entry === undefined || entry[0] !== stateText(state)) return undefined;
      kept.set(path, entry);
      return entry[1];
    },
    remember: (path, state, digest) => {
      const latest = state.ctimeNs > state.mtimeNs ? state.ctimeNs : state.mtimeNs;
      if (BigInt(now()) * 1_000_000n - latest < SETTLED_NANOSECONDS) return;
      kept.set(path, [stateText(state), digest]);
      changed = true;
    },
    save: async () => {
      if (changed || kept.size !== known.size) await write(file, kept).catch(() => undefined);
    },
  };
}

function stateText({ size, mtimeNs, ctimeNs, ino }: FileState): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
}

async function readKnown(file: string): Promise<ReadonlyMap<string, readonly [string, string]>> {
  try {
    return new Map(Object.entries(v.parse(schema, JSON.parse(await readFile(file, "utf8")))));
  } catch {
    return new Map();
  }
}

async function write(file: string, kept: ReadonlyMap<string, readonly [string, string]>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await writeFile(partial, JSON.stringify(Object.fromEntries(kept)));
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}
