import { createDigester, type Digest } from "../oci/digest.ts";
import { type Compression, openCompressor } from "./compress.ts";
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
  const uncompressed = openStreamDigest({ parallelism });
  const compressed = createDigester();
  const underWay: { readonly result: Promise<Uint8Array>; readonly onUsed: () => void }[] = [];
  // Threads read what is in them where it is.
  const free: SharedArrayBuffer[] = [];
  let chunk = new Uint8Array(new SharedArrayBuffer(chunkSize));
  let used = 0;
  let size = 0;
  let flushes = 0;

  async function finishOldest(): Promise<void> {
    const oldest = underWay.shift();
    if (oldest === undefined) return;
    const bytes = await oldest.result;
    write(bytes);
    if (!compressor.passesThrough) compressed.update(bytes);
    size += bytes.length;
    oldest.onUsed();
  }

  async function flush(): Promise<void> {
    signal.throwIfAborted();
    if (used === 0) return;
    const full = chunk.subarray(0, used);
    const { buffer } = chunk;
    let users = 2;
    const onUsed = () => {
      users -= 1;
      if (users === 0) free.push(buffer);
    };
    await uncompressed.update(full, onUsed);
    const result = compressor.compress(full);
    underWay.push({ result, onUsed });
    result.catch(() => {});
    while (underWay.length >= compressor.capacity) await finishOldest();
    chunk = new Uint8Array(free.pop() ?? new SharedArrayBuffer(chunkSize));
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
