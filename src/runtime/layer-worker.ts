import * as v from "valibot";
import { UserError } from "../errors.ts";
import { startDuplex } from "../host/duplex-process.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import { type LayerAnswer, type LayerTask, layerAnswerSchema } from "./layer-task.ts";
import { layerWorkerCommand, type WorkerStart } from "./sandbox-command.ts";
import { sandboxRefused } from "./sandbox-failure.ts";

/** A stored layer that is to be a folder: where it lies, where the folder grows, and what it is renamed to. */
export type UnpackTask = Omit<Extract<LayerTask, { kind: "unpack" }>, "kind">;

/** What a step changed, and the file that the layer is written to. */
export type PackTask = Omit<Extract<LayerTask, { kind: "pack" }>, "kind">;

/** Makes and removes the files of layers with the ids that steps have; one thing after the other. Each throws UserError. */
export interface LayerWorker {
  readonly unpack: (task: UnpackTask) => Promise<void>;
  /** The layer, and the sockets that are not in it. */
  readonly pack: (task: PackTask) => Promise<{ readonly layer: NewLayer; readonly leftOut: readonly string[] }>;
  /** Renames a folder, unless there is one of that name. */
  readonly place: (folder: string, target: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Ends it once it has done what it was asked for. */
  readonly close: () => Promise<void>;
}

/** Starts a worker when the first thing is asked of it; `signal` ends it. */
export function openLayerWorker(
  start: WorkerStart,
  { environment, signal }: { environment: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): LayerWorker {
  let running: Promise<RunningWorker> | undefined;
  const ask = async (task: LayerTask): Promise<LayerAnswer> => {
    signal.throwIfAborted();
    running ??= startWorker(start, { environment, signal });
    return (await running).ask(task);
  };
  return {
    async unpack(task) {
      await ask({ kind: "unpack", ...task });
    },
    async pack(task) {
      const answer = await ask({ kind: "pack", ...task });
      if (answer.kind !== "packed") throw new TypeError("The worker did not say what it packed.");
      const { mediaType, digest, size, diffId } = answer.layer;
      return { layer: { descriptor: { mediaType, digest, size, annotations: {} }, diffId }, leftOut: answer.leftOut };
    },
    async place(folder, target) {
      await ask({ kind: "place", folder, target });
    },
    async remove(path) {
      // Also after an interruption: what was begun is tidied up.
      running ??= startWorker(start, { environment, signal: new AbortController().signal });
      await (await running).ask({ kind: "remove", path });
    },
    async close() {
      await running?.then((worker) => worker.close()).catch(() => undefined);
      running = undefined;
    },
  };
}

interface RunningWorker {
  readonly ask: (task: LayerTask) => Promise<LayerAnswer>;
  readonly close: () => Promise<void>;
}

async function startWorker(
  start: WorkerStart,
  { environment, signal }: { environment: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<RunningWorker> {
  const child = startDuplex(await layerWorkerCommand(start), environment, { isGroup: true });
  const onAbort = () => child.kill();
  signal.addEventListener("abort", onAbort, { once: true });
  // It may have come while the command was found out.
  if (signal.aborted) onAbort();
  let failure: { readonly reason: unknown } | undefined;
  const waiting: { resolve: (answer: LayerAnswer) => void; reject: (error: unknown) => void }[] = [];
  const fail = (reason: unknown) => {
    failure = { reason };
    for (const { reject } of waiting.splice(0)) reject(reason);
  };
  const ended = (async () => {
    for await (const line of linesOf(child.stdout)) {
      const answer = v.parse(layerAnswerSchema, JSON.parse(line));
      const next = waiting.shift();
      if (answer.kind === "failed") {
        next?.reject(new UserError(answer.message, answer.hint === undefined ? {} : { hint: answer.hint }));
      } else next?.resolve(answer);
    }
    const result = await child.exited;
    signal.removeEventListener("abort", onAbort);
    fail(signal.aborted ? signal.reason : sandboxRefused(start.means, { ended: result }));
  })();
  ended.catch(fail);
  return {
    async ask(task) {
      // Nobody would answer.
      if (failure !== undefined) throw failure.reason;
      const answer = new Promise<LayerAnswer>((resolve, reject) => waiting.push({ resolve, reject }));
      // The end of a worker that does not read any more is told by `ended`.
      await child.stdin.write(new TextEncoder().encode(`${JSON.stringify(task)}\n`)).catch(() => undefined);
      return answer;
    },
    async close() {
      child.stdin.end();
      await ended.catch(() => undefined);
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
