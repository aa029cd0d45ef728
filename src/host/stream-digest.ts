import { createDigester, type Digest } from "../oci/digest.ts";
import type { HashAnswer, HashJob } from "./hash-worker.ts";

/** The digest of a stream of chunks, computed beside whoever makes them. */
export interface StreamDigest {
  /** Takes a chunk in shared memory, which must not be touched until `onRead` is called; waits while many others are waiting. */
  readonly update: (chunk: Uint8Array, onRead: () => void) => Promise<void>;
  readonly digest: () => Promise<Digest>;
  readonly close: () => void;
}

/** A thread costs as much as the digests of these. */
const chunksBeforeThread = 8;
const chunksWaiting = 4;

/** A digest on a thread of its own, when there are several and the stream is long enough to be worth one. */
export function openStreamDigest({ parallelism }: { parallelism: number }): StreamDigest {
  const digester = createDigester();
  let early: { readonly chunk: Uint8Array; readonly onRead: () => void }[] = [];
  let thread: HashThread | undefined;
  return {
    async update(chunk, onRead) {
      if (parallelism < 2) {
        digester.update(chunk);
        onRead();
        return;
      }
      if (thread === undefined && early.length < chunksBeforeThread) {
        early.push({ chunk, onRead });
        return;
      }
      if (thread === undefined) {
        thread = startThread();
        for (const held of early) await thread.update(held.chunk, held.onRead);
        early = [];
      }
      await thread.update(chunk, onRead);
    },
    async digest() {
      if (thread !== undefined) return thread.digest();
      for (const { chunk, onRead } of early) {
        digester.update(chunk);
        onRead();
      }
      return digester.digest();
    },
    close: () => thread?.terminate(),
  };
}

interface HashThread {
  readonly update: StreamDigest["update"];
  readonly digest: () => Promise<Digest>;
  readonly terminate: () => void;
}

/** It answers in the order that it was asked. */
function startThread(): HashThread {
  const worker = new Worker(workerLocation());
  const waiting: PromiseWithResolvers<HashAnswer>[] = [];
  worker.onmessage = ({ data }: { data: HashAnswer }) => waiting.shift()?.resolve(data);
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`The hashing thread failed: ${message}`));
  };
  const ask = (job: HashJob) => {
    const answer = Promise.withResolvers<HashAnswer>();
    answer.promise.catch(() => {});
    waiting.push(answer);
    worker.postMessage(job);
    return answer.promise;
  };
  return {
    async update(chunk, onRead) {
      if (waiting.length >= chunksWaiting) await waiting[0]?.promise;
      ask(chunk).then(onRead, () => {});
    },
    async digest() {
      const answer = await ask("digest");
      if (answer !== "read") return answer;
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
