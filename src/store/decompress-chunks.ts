import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { messageOf } from "../errors.ts";

/** How content is compressed, told by its first bytes. */
export type ContentCompression = "gzip" | "zstd" | "none";

/** What came of decompressing a stream: how it was compressed, and what is wrong with it, if anything. */
export type Decompression = {
  readonly compression: ContentCompression;
  readonly problem: string | undefined;
};

/**
 * Hands a stream's content, decompressed where it is gzip or zstd, to `take` in order, in memory of a fixed size.
 * Damage does not throw: it ends the content and is told. The stream is read to its end in any case; what it throws
 * itself is thrown on.
 */
export async function decompressChunks(
  chunks: AsyncIterable<Uint8Array>,
  take: (content: Uint8Array) => void,
): Promise<Decompression> {
  const input = chunks[Symbol.asyncIterator]();
  const first = await input.next();
  const start = first.done === true ? new Uint8Array() : first.value;
  const compression = compressionOf(start);
  let failure: { readonly thrown: unknown } | undefined;
  let size = start.length;
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield start;
    try {
      for (let next = await input.next(); next.done !== true; next = await input.next()) {
        size += next.value.length;
        yield next.value;
      }
    } catch (thrown) {
      failure = { thrown };
      throw thrown;
    }
  }
  const decompressor = createDecompressor(compression);
  let problem: string | undefined;
  if (decompressor === undefined) {
    for await (const chunk of rest()) take(chunk);
  } else {
    const source = Readable.from(rest());
    source.on("error", (error) => decompressor.destroy(error));
    try {
      for await (const content of source.pipe(decompressor)) take(content);
    } catch (thrown) {
      problem = `its ${compression} stream is damaged: ${messageOf(thrown)}`;
    }
    if (failure !== undefined) throw failure.thrown;
    // A reader that stopped early left the rest.
    for (let next = await input.next(); next.done !== true; next = await input.next()) size += next.value.length;
    const unused = size - decompressor.bytesWritten;
    if (problem === undefined && unused > 0) problem = `${unused} bytes follow the end of its ${compression} stream`;
  }
  return { compression, problem };
}

/** Each chunk goes from one thread to another: the runtime's own size of 16 KiB takes a third longer. */
const chunkSize = 64 * 1024;

function createDecompressor(compression: ContentCompression) {
  switch (compression) {
    case "gzip":
      return createGunzip({ chunkSize });
    case "zstd":
      return createZstdDecompress({ chunkSize });
    case "none":
      return undefined;
  }
}

function compressionOf(start: Uint8Array): ContentCompression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  const isZstd = start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd && start[0] === 0x28;
  // Frames that are skipped may come first, as in zstd:chunked.
  const isSkippable = start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18 && ((start[0] ?? 0) & 0xf0) === 0x50;
  return isZstd || isSkippable ? "zstd" : "none";
}
