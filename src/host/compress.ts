declare module "bun" {
  /** Memory that is shared is read like any other. */
  function gzipSync(data: Uint8Array, options: LibdeflateCompressionOptions): Uint8Array<ArrayBuffer>;
}

/** How content is compressed; the level is the format's own. */
export type Compression =
  | { readonly kind: "gzip"; readonly level: GzipLevel }
  | { readonly kind: "zstd"; readonly level: number }
  | { readonly kind: "none" };

/** libdeflate's levels. */
export const gzipLevels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
export type GzipLevel = (typeof gzipLevels)[number];

/** What a worker gets: memory that it shares. It answers with what came out. */
export type CompressionJob = { readonly chunk: Uint8Array; readonly level: GzipLevel };

/** Compresses chunks by themselves: the results, put together in order, are one stream of the format. */
export interface Compressor {
  /** The chunk is in shared memory, and must not be touched until the result was used. */
  readonly compress: (chunk: Uint8Array) => Promise<Uint8Array>;
  /** Whether what comes out is what goes in. */
  readonly passesThrough: boolean;
  /** How many chunks keep it busy. */
  readonly capacity: number;
  readonly close: () => void;
}

/**
 * A compressor on `parallelism` threads. The bytes it gives depend on the chunks and the level only. Gzip starts its
 * threads when more than a few chunks come: they take longer to start than a small layer takes to compress.
 */
export function openCompressor(compression: Compression, { parallelism }: { parallelism: number }): Compressor {
  switch (compression.kind) {
    case "none":
      return {
        compress: async (chunk) => chunk,
        passesThrough: true,
        capacity: 1,
        close: () => {},
      };
    case "zstd": {
      const { level } = compression;
      return {
        compress: (chunk) => Bun.zstdCompress(chunk, { level }),
        passesThrough: false,
        capacity: 2 * parallelism + 1,
        close: () => {},
      };
    }
    case "gzip":
      return openGzip(compression.level, parallelism);
  }
}

const chunksBeforeWorkers = 2;

function openGzip(level: GzipLevel, parallelism: number): Compressor {
  const workers: CompressionWorker[] = [];
  let chunks = 0;
  return {
    compress: async (chunk) => {
      chunks += 1;
      if (chunks <= chunksBeforeWorkers || parallelism < 2) return gzip(chunk, level);
      while (workers.length < parallelism) workers.push(startWorker());
      const idlest = workers.reduce((best, worker) => (worker.pending() < best.pending() ? worker : best));
      return idlest.run({ chunk, level });
    },
    passesThrough: false,
    capacity: 2 * parallelism + 1,
    close: () => {
      for (const worker of workers) worker.terminate();
    },
  };
}

/** A chunk as one gzip member. */
export function gzip(chunk: Uint8Array, level: GzipLevel): Uint8Array<ArrayBuffer> {
  return Bun.gzipSync(chunk, { level, library: "libdeflate" });
}

interface CompressionWorker {
  readonly pending: () => number;
  readonly run: (job: CompressionJob) => Promise<Uint8Array>;
  readonly terminate: () => void;
}

/** A worker answers in the order that it was asked. */
function startWorker(): CompressionWorker {
  const worker = new Worker(workerLocation());
  const waiting: PromiseWithResolvers<Uint8Array>[] = [];
  worker.onmessage = ({ data }: { data: Uint8Array }) => waiting.shift()?.resolve(data);
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`A compression thread failed: ${message}`));
  };
  return {
    pending: () => waiting.length,
    run: (job) => {
      const answer = Promise.withResolvers<Uint8Array>();
      waiting.push(answer);
      worker.postMessage(job);
      return answer.promise;
    },
    terminate: () => worker.terminate(),
  };
}

/** In the compiled executable all sources are one file, and the worker's is where scripts/build puts it beside that. */
function workerLocation(): string {
  const compiled = !import.meta.url.endsWith("/compress.ts");
  return new URL(compiled ? "./host/compress-worker.ts" : "./compress-worker.ts", import.meta.url).href;
}
