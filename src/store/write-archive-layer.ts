import { UserError } from "../errors.ts";
import { openChunkedOutput } from "../host/chunked-output.ts";
import type { Compression } from "../host/compress.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import { createDigester } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { Fault } from "../oci/validation/fault.ts";
import { createTarScan } from "../oci/validation/tar-scan.ts";
import { decompressChunks } from "./decompress-chunks.ts";

/** How an archive becomes a layer. */
export type WriteArchiveLayerOptions = {
  /** How messages call it. */
  readonly what: string;
  /** For an archive that is not compressed yet. */
  readonly compression: Compression;
  readonly parallelism: number;
  readonly signal: AbortSignal;
  readonly write: (bytes: Uint8Array) => void;
};

/**
 * Writes a tar as a layer: a compressed one byte by byte as it is, a plain one compressed. Throws a UserError that
 * names every fault when it is damaged or no tar.
 */
export async function writeArchiveLayer(
  chunks: AsyncIterable<Uint8Array>,
  options: WriteArchiveLayerOptions,
): Promise<NewLayer> {
  const input = chunks[Symbol.asyncIterator]();
  const first = await input.next();
  const start = first.done === true ? new Uint8Array() : first.value;
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield start;
    for (let next = await input.next(); next.done !== true; next = await input.next()) yield next.value;
  }
  const isPlain = String.fromCharCode(...start.subarray(257, 262)) === "ustar";
  return isPlain ? compressArchive(whole(), options) : keepArchive(whole(), options);
}

async function compressArchive(
  chunks: AsyncIterable<Uint8Array>,
  { what, compression, parallelism, signal, write }: WriteArchiveLayerOptions,
): Promise<NewLayer> {
  const output = openChunkedOutput({ compression, parallelism, write, signal });
  try {
    const scan = createTarScan(what, { entries: true });
    for await (const chunk of chunks) {
      scan.push(chunk);
      await output.put(chunk);
    }
    refuseFaults(what, scan.end());
    const { diffId, digest, size } = await output.end();
    return { descriptor: { mediaType: layerTypes[compression.kind], digest, size, annotations: {} }, diffId };
  } finally {
    output.close();
  }
}

async function keepArchive(
  chunks: AsyncIterable<Uint8Array>,
  { what, signal, write }: WriteArchiveLayerOptions,
): Promise<NewLayer> {
  const [stored, content] = [createDigester(), createDigester()];
  const scan = createTarScan(what, { entries: true });
  let size = 0;
  async function* passed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      stored.update(chunk);
      size += chunk.length;
      write(chunk);
      yield chunk;
    }
  }
  const { compression, problem } = await decompressChunks(passed(), (bytes) => {
    content.update(bytes);
    scan.push(bytes);
  });
  if (problem !== undefined) throw new UserError(`${what} cannot be a layer: ${problem}.`);
  refuseFaults(what, scan.end());
  const descriptor = { mediaType: layerTypes[compression], digest: stored.digest(), size, annotations: {} };
  return { descriptor, diffId: content.digest() };
}

const layerTypes = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer } as const;

function refuseFaults(what: string, faults: readonly Fault[]): void {
  const [first, ...others] = faults;
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` There are ${others.length} more faults like it.`;
  throw new UserError(`${what} cannot be a layer: ${first.problem}.${more}`, {
    hint: "Name a folder, or a tar, plain or compressed with gzip or zstd, of what is to be in the image.",
  });
}
