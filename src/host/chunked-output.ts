import { createDigester, type Digest } from "../oci/digest.ts";
import { type Compression, type CompressionResult, openCompressor } from "./compress.ts";
import { openStreamDigest } from "./stream-digest.ts";

/** Takes bytes in, cuts them into chunks of a fixed size and passes them on compressed and in order. */
export interface ChunkedOutput {
  /** The current chunk, of which the first `used` bytes are taken: fill what follows, then `advance`. */
  readonly chunk: () => Uint8Array;
  readonly used: () => number;
  readonly advance: (count: number) => void;
  /** Adds bytes if the current chunk has room for them all. */
  readonly tryPut: (bytes: Uint8Array) => boolean;
  readonly put: (bytes: Uint8Array) => Promise<void>;
  /** Sends the current chunk off, full or not; waits while enough others are under way. */
  readonly flush: () => Promise<void>;
  /** Sends the rest off and waits for everything. */
  readonly end: () => Promise<{ readonly diffId: Digest; readonly digest: Digest; readonly size: number }>;
  /** Gives the threads back. */
  readonly close: () => void;
}

/**
 * The size of a chunk: each is compressed by itself, so the bytes of every layer depend on it. A change of it changes
 * the digest of what everybody assembles.
 */
export const chunkSize: number = 1024 * 1024;

const chunksBetweenPauses = 16;

/** An output on `parallelism` threads whose compressed bytes go to `write`. */
export function openChunkedOutput(options: {
  readonly compression: Compression;
  readonly parallelism: number;
  readonly write: (bytes: Uint8Array) => void;
  readonly signal: AbortSignal;
}): ChunkedOutput {
  const { parallelism, write, signal } = options;
  const compressor = openCompressor(options.compression, { parallelism });
  const uncompressed = openStreamDigest({ parallelism, chunkSize });
  const compressed = createDigester();
  const underWay: Promise<CompressionResult>[] = [];
  const free: ArrayBuffer[] = [];
  let chunk = new Uint8Array(chunkSize);
  let used = 0;
  let size = 0;
  let flushes = 0;

  async function finishOldest(): Promise<void> {
    const result = await underWay.shift();
    if (result === undefined) return;
    write(result.compressed);
    if (!compressor.passesThrough) compressed.update(result.compressed);
    size += result.compressed.length;
    free.push(result.buffer);
  }

  async function flush(): Promise<void> {
    signal.throwIfAborted();
    if (used === 0) return;
    const full = chunk.subarray(0, used);
    // Before it is given away: a compressor may take the buffer to another thread.
    await uncompressed.update(full);
    const result = compressor.compress(full);
    underWay.push(result);
    result.catch(() => {});
    while (underWay.length >= compressor.capacity) await finishOldest();
    chunk = new Uint8Array(free.pop() ?? new ArrayBuffer(chunkSize));
    used = 0;
    flushes += 1;
    // Reading and writing are synchronous: without a pause no signal would ever be noticed.
    if (flushes % chunksBetweenPauses === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  const tryPut = (bytes: Uint8Array): boolean => {
    if (used + bytes.length > chunkSize) return false;
    chunk.set(bytes, used);
    used += bytes.length;
    return true;
  };
  return {
    chunk: () => chunk,
    used: () => used,
    advance: (count) => {
      used += count;
    },
    tryPut,
    async put(bytes) {
      for (let offset = 0; offset < bytes.length; ) {
        if (used === chunkSize) await flush();
        const part = bytes.subarray(offset, offset + chunkSize - used);
        tryPut(part);
        offset += part.length;
      }
    },
    flush,
    async end() {
      await flush();
      while (underWay.length > 0) await finishOldest();
      const diffId = await uncompressed.digest();
      return { diffId, digest: compressor.passesThrough ? diffId : compressed.digest(), size };
    },
    close: () => {
      compressor.close();
      uncompressed.close();
    },
  };
}
