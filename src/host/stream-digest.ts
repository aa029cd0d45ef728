import { createDigester, type Digest } from "../oci/digest.ts";
import type { HashAnswer, HashJob } from "./hash-worker.ts";

/** The digest of a stream of chunks, computed beside whoever makes them. */
export interface StreamDigest {
  /** Takes a copy: the chunk is free at once. Waits while many others are waiting. */
  readonly update: (chunk: Uint8Array) => Promise<void>;
  readonly digest: () => Promise<Digest>;
  readonly close: () => void;
}

/** A copy of a chunk costs a fifth of its digest; a thread costs as much as the digests of these. */
const chunksBeforeThread = 8;
const chunksWaiting = 4;

/** A digest on a thread of its own, when there are several and the stream is long enough to be worth one. */
export function openStreamDigest({ parallelism, chunkSize }: { parallelism: number; chunkSize: number }): StreamDigest {
  const digester = createDigester();
  let early: Uint8Array[] = [];
  let thread: HashThread | undefined;
  return {
    async update(chunk) {
      if (parallelism < 2) {
        digester.update(chunk);
        return;
      }
      if (thread === undefined && early.length < chunksBeforeThread) {
        early.push(chunk.slice());
        return;
      }
      if (thread === undefined) {
        thread = startThread(chunkSize);
        for (const held of early) await thread.update(held);
        early = [];
      }
      await thread.update(chunk);
    },
    async digest() {
      if (thread !== undefined) return thread.digest();
      for (const chunk of early) digester.update(chunk);
      return digester.digest();
    },
    close: () => thread?.terminate(),
  };
}

interface HashThread {
  readonly update: (chunk: Uint8Array) => Promise<void>;
  readonly digest: () => Promise<Digest>;
  readonly terminate: () => void;
}

/** It answers in the order that it was asked. */
function startThread(chunkSize: number): HashThread {
  const worker = new Worker(workerLocation());
  const waiting: PromiseWithResolvers<HashAnswer>[] = [];
  const free: ArrayBuffer[] = [];
  worker.onmessage = ({ data }: { data: HashAnswer }) => {
    if (typeof data !== "string") free.push(data);
    waiting.shift()?.resolve(data);
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`The hashing thread failed: ${message}`));
  };
  const ask = (job: HashJob, transfer: ArrayBuffer[]) => {
    const answer = Promise.withResolvers<HashAnswer>();
    answer.promise.catch(() => {});
    waiting.push(answer);
    worker.postMessage(job, transfer);
    return answer.promise;
  };
  return {
    async update(chunk) {
      if (waiting.length >= chunksWaiting) await waiting[0]?.promise;
      const buffer = free.pop() ?? new ArrayBuffer(chunkSize);
      new Uint8Array(buffer).set(chunk);
      ask({ buffer, length: chunk.length }, [buffer]);
    },
    async digest() {
      const answer = await ask("digest", []);
      if (typeof answer === "string") return answer;
      throw new Error("The hashing thread did not tell the digest.");
    },
    terminate: () => worker.terminate(),
  };
}

/** As the compression threads' is found. */
function workerLocation(): string {
  const compiled = !import.meta.url.endsWith("/stream-digest.ts");
  return new URL(compiled ? "./host/hash-worker.ts" : "./hash-worker.ts", import.meta.url).href;
}
