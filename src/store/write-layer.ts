import { fstatSync, readSync, type Stats } from "node:fs";
import { type LayerSettings, layerMember, prefixMembers } from "../assembly/layer-member.ts";
import { type ChunkedOutput, chunkSize, openChunkedOutput } from "../host/chunked-output.ts";
import type { Compression } from "../host/compress.ts";
import { changedMeanwhile, unreadable } from "../host/read-failure.ts";
import type { ReadEntry } from "../host/read-tree.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { tarBlockSize } from "../oci/tar-header.ts";
import { encodeTarHeader, type TarMember, tarEnd, tarPadding, writeTarHeader } from "../oci/tar-writer.ts";

/** How the layers of a build's steps are stored: its user waits for them, and a higher level saves little. */
export const STEP_COMPRESSION = { kind: "gzip", level: 1 } as const satisfies Compression;

/** How a folder becomes a layer. */
export type WriteLayerOptions = {
  readonly folder: string;
  readonly settings: LayerSettings;
  readonly compression: Compression;
  readonly parallelism: number;
  readonly signal: AbortSignal;
  /** Gets the layer's bytes in order. */
  readonly write: (bytes: Uint8Array) => void;
};

/**
 * Writes a folder's entries as one layer, in one pass and in a fixed amount of memory. Throws a UserError that names
 * the file when one cannot be read or changes meanwhile.
 */
export async function writeLayer(entries: Iterable<ReadEntry>, options: WriteLayerOptions): Promise<NewLayer> {
  const { folder, settings, compression, parallelism, signal, write } = options;
  const output = openChunkedOutput({ compression, parallelism, write, signal });
  try {
    for (const member of prefixMembers(settings)) {
      if (!output.tryPut(encodeTarHeader(member))) await output.put(encodeTarHeader(member));
    }
    for (const { entry, stats, file } of entries) {
      const member = layerMember(entry, settings);
      // Waiting costs more than a small file: it is only done when there is something to wait for.
      if (!putPlainHeader(member, output)) await output.put(encodeTarHeader(member));
      if (file === undefined || entry.kind !== "file" || entry.size === 0) continue;
      const open = { file, size: entry.size, path: `${folder}/${entry.path}` };
      if (!copySmallFile(open, output)) await copyFile(open, output);
      refuseChange(open.path, { before: stats, after: fstatSync(file) });
    }
    await output.put(tarEnd);
    const { diffId, digest, size } = await output.end();
    return { descriptor: { mediaType: layerTypes[compression.kind], digest, size, annotations: {} }, diffId };
  } finally {
    output.close();
  }
}

const layerTypes = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer } as const;

type OpenFile = { readonly file: number; readonly size: number; readonly path: string };

/** False when the header does not fit into what is free of the chunk, or is more than one block. */
function putPlainHeader(member: TarMember, output: ChunkedOutput): boolean {
  const written = chunkSize - output.used() >= tarBlockSize && writeTarHeader(member, output.chunk(), output.used());
  if (written) output.advance(tarBlockSize);
  return written;
}

/** False when the file does not fit into what is free of the chunk. */
function copySmallFile({ file, size, path }: OpenFile, output: ChunkedOutput): boolean {
  const padding = tarPadding(size);
  if (chunkSize - output.used() < size + padding) return false;
  for (let left = size; left > 0; ) left -= readSome(file, { path, size: left, output });
  const used = output.used();
  output.chunk().fill(0, used, used + padding);
  output.advance(padding);
  return true;
}

async function copyFile({ file, size, path }: OpenFile, output: ChunkedOutput): Promise<void> {
  for (let left = size; left > 0; ) {
    if (output.used() === chunkSize) await output.flush();
    left -= readSome(file, { path, size: Math.min(left, chunkSize - output.used()), output });
  }
  await output.put(tarEnd.subarray(0, tarPadding(size)));
}

function readSome(file: number, { path, size, output }: { path: string; size: number; output: ChunkedOutput }): number {
  let count: number;
  try {
    count = readSync(file, output.chunk(), output.used(), size, null);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (count === 0) throw changedMeanwhile(path);
  output.advance(count);
  return count;
}

function refuseChange(path: string, { before, after }: { before: Stats; after: Stats }): void {
  const same =
    before.size === after.size &&
    before.ino === after.ino &&
    before.mtimeMs === after.mtimeMs &&
    before.ctimeMs === after.ctimeMs;
  if (!same) throw changedMeanwhile(path);
}
