/** How content is compressed; the level is the format's own. */
export type Compression =
  | { readonly kind: "gzip"; readonly level: GzipLevel }
  | { readonly kind: "zstd"; readonly level: number }
  | { readonly kind: "none" };

/** libdeflate's levels. */
export const gzipLevels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
export type GzipLevel = (typeof gzipLevels)[number];

/** What a worker gets; the buffer comes back with the result, to be used again. */
export type CompressionJob = { readonly buffer: ArrayBuffer; readonly length: number; readonly level: GzipLevel };
export type CompressionResult = { readonly buffer: ArrayBuffer; readonly compressed: Uint8Array };

/** Compresses chunks by themselves: the results, put together in order, are one stream of the format. */
export interface Compressor {
  /** The chunk's buffer must not be touched until the result was used; `buffer` is free again then. */
  readonly compress: (chunk: Uint8Array<ArrayBuffer>) => Promise<CompressionResult>;
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
        compress: async (chunk) => ({ buffer: chunk.buffer, compressed: chunk }),
        passesThrough: true,
        capacity: 1,
        close: () => {},
      };
    case "zstd": {
      const { level } = compression;
      return {
        compress: async (chunk) => ({
          buffer: chunk.buffer,
          compressed: await Bun.zstdCompress(chunk, { level }),
        }),
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
      if (chunks <= chunksBeforeWorkers || parallelism < 2) {
        return { buffer: chunk.buffer, compressed: Bun.gzipSync(chunk, { level, library: "libdeflate" }) };
      }
      while (workers.length < parallelism) workers.push(startWorker());
      const idlest = workers.reduce((best, worker) => (worker.pending() < best.pending() ? worker : best));
      return idlest.run({ buffer: chunk.buffer, length: chunk.length, level });
    },
    passesThrough: false,
    capacity: 2 * parallelism + 1,
    close: () => {
      for (const worker of workers) worker.terminate();
    },
  };
}

interface CompressionWorker {
  readonly pending: () => number;
  readonly run: (job: CompressionJob) => Promise<CompressionResult>;
  readonly terminate: () => void;
}

/** A worker answers in the order that it was asked. */
function startWorker(): CompressionWorker {
  const worker = new Worker(workerLocation());
  const waiting: PromiseWithResolvers<CompressionResult>[] = [];
  worker.onmessage = ({ data }: { data: CompressionResult }) => waiting.shift()?.resolve(data);
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`A compression thread failed: ${message}`));
  };
  return {
    pending: () => waiting.length,
    run: (job) => {
      const answer = Promise.withResolvers<CompressionResult>();
      waiting.push(answer);
      worker.postMessage(job, [job.buffer]);
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
