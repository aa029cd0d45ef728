import { existsSync } from "node:fs";
import { join } from "node:path";
import { selfCommand } from "../host/self-command.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { createIdMapping } from "../runtime/id-mapping.ts";
import { type LayerWorker, openLayerWorker } from "../runtime/layer-worker.ts";
import { createSandbox, type Sandbox } from "../runtime/sandbox.ts";
import type { WorkerStart } from "../runtime/sandbox-command.ts";
import type { SandboxMeans } from "../runtime/sandbox-means.ts";
import type { ImageStore } from "../store/image-store.ts";
import { findSandboxMeans } from "./find-sandbox-means.ts";
import { openStore } from "./open-image-store.ts";
import type { Tools } from "./tools.ts";

/** What a run of cooper's own engine works with: the store, a folder of its own in it, and what runs there. */
export interface NativeSession {
  readonly store: ImageStore;
  readonly sandbox: Sandbox;
  readonly worker: LayerWorker;
  /** A path of this run's own, where nothing is yet. */
  readonly newFolder: () => string;
  /** Unpacks stored layers that are not yet; gives their folders, the topmost first. */
  readonly unpack: (layers: readonly StoredLayer[]) => Promise<readonly string[]>;
}

/** A layer whose blob is in the store. */
export interface StoredLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Gives `work` a session; what it leaves behind is removed, and nobody removes what it uses. */
export async function withNativeSession<T>(
  tools: Tools,
  work: (session: NativeSession) => Promise<T>,
  means: SandboxMeans = findSandboxMeans(tools),
): Promise<T> {
  const { environment, interruption, runProcess } = tools;
  const start = workerStart(tools, means);
  const worker = openLayerWorker(start, { environment, signal: interruption.signal });
  const store = openStore(tools, worker.remove);
  const lock = await store.use();
  try {
    const folder = await store.openWork();
    let count = 0;
    const newFolder = () => {
      count += 1;
      return join(folder.path, String(count));
    };
    const unpack = createUnpacker({ store, worker, newFolder });
    try {
      return await work({ store, sandbox: createSandbox(start, runProcess), worker, newFolder, unpack });
    } finally {
      await folder.close();
    }
  } finally {
    await worker.close();
    lock.release();
  }
}

/** What this machine's workers are started with; throws a UserError that says what is missing. */
export function workerStart(tools: Tools, means: SandboxMeans = findSandboxMeans(tools)): WorkerStart {
  return { means, self: selfCommand(), idMapping: createIdMapping(means, tools.runProcess) };
}

/** Each layer is unpacked once, however often and in whatever order it is asked for. */
function createUnpacker({ store, worker, newFolder }: Pick<NativeSession, "store" | "worker" | "newFolder">) {
  const begun = new Map<Digest, Promise<void>>();
  const unpackOne = ({ descriptor, diffId }: StoredLayer): Promise<void> => {
    const target = store.layerPath(diffId);
    if (existsSync(target)) return Promise.resolve();
    const known = begun.get(diffId);
    if (known !== undefined) return known;
    const blob = store.blobPath(descriptor.digest);
    const unpacking = worker.unpack({ blob, staged: newFolder(), target, diffId });
    begun.set(diffId, unpacking);
    return unpacking;
  };
  return async (layers: readonly StoredLayer[]): Promise<readonly string[]> => {
    await Promise.all(layers.map(unpackOne));
    return layers.map(({ diffId }) => store.layerPath(diffId)).toReversed();
  };
}
