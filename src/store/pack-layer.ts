import { lstatSync } from "node:fs";
import { openReadCapability } from "../host/capability.ts";
import type { Compression } from "../host/compress.ts";
import { type ReadEntry, readTree } from "../host/read-tree.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import { writeLayer } from "./write-layer.ts";

/** How an overlay's upper directory becomes a layer; paths are relative to it. */
export type PackLayerOptions = {
  /** Seconds since 1970: what was made or changed meanwhile is of this time. */
  readonly epoch: number;
  /** Milliseconds since 1970, from before the first mount point was made: what is older keeps its time. */
  readonly started: number;
  /** What does not go into the layer, with all that is in it. */
  readonly leaveOut: ReadonlySet<string>;
  /** Directories that do not either, unless there is something else in them. */
  readonly leaveOutEmpty: ReadonlySet<string>;
  /** The unpacked layers below: a directory that is in none of them hides nothing, and needs no mark. */
  readonly lowers: readonly string[];
  readonly compression: Compression;
  readonly parallelism: number;
  readonly signal: AbortSignal;
  /** Gets the layer's bytes in order. */
  readonly write: (bytes: Uint8Array) => void;
};

/** A layer, and what of the folder is not in it because no layer can hold it. */
export type PackedLayer = {
  readonly layer: NewLayer;
  /** True when nothing was in the folder that goes into a layer. */
  readonly isEmpty: boolean;
  readonly sockets: readonly string[];
};

/** File systems take the time of the kernel's last tick, which may lie some milliseconds back. */
const clockTick = 50;

/**
 * Writes what an overlay, the kernel's or fuse-overlayfs', has in its upper directory as one layer: owners as they are,
 * deletions and hiding directories as layers have them, none of the overlay's own attributes. The folder's own mode and
 * owner are not in it. Throws a UserError that names what cannot be read, or is a device.
 */
export async function packLayer(folder: string, options: PackLayerOptions): Promise<PackedLayer> {
  const { epoch, started, leaveOut, leaveOutEmpty, lowers, compression, parallelism, signal, write } = options;
  const sockets: string[] = [];
  let isEmpty = true;
  function* entries(): Generator<ReadEntry> {
    const read = readTree(folder, {
      filter: { isIgnored: (path) => leaveOut.has(path), mayContainReincluded: () => false },
      readCapability: openReadCapability(),
      upper: {
        isLeftOutEmpty: (path) => leaveOutEmpty.has(path),
        hidesSomething: (path) => lowers.some((lower) => isDirectory(`${lower}/${path}`)),
        leaveOutSocket: (path) => void sockets.push(path),
      },
    });
    for (const { entry, stats, file } of read) {
      isEmpty = false;
      const isMark = entry.kind === "whiteout" || entry.kind === "opaque";
      const isNew = isMark || stats.mtimeMs >= started - clockTick;
      yield { entry: isNew ? { ...entry, modified: epoch } : entry, stats, file };
    }
  }
  const settings = { prefix: "", owner: "keep", epoch: Number.MAX_SAFE_INTEGER, clamp: true } as const;
  const layer = await writeLayer(entries(), { folder, settings, compression, parallelism, signal, write });
  return { layer, isEmpty, sockets };
}

function isDirectory(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // What lies behind a file there is not there.
    return false;
  }
}
