import { type LayerWorker, openLayerWorker } from "../runtime/layer-worker.ts";
import { removeTree } from "../store/remove-tree.ts";
import type { RemoveTree } from "../store/work-directory.ts";
import { workerStart } from "./native-session.ts";
import type { Tools } from "./tools.ts";

/**
 * Gives `work` what removes layers and work folders: with this process's rights where those do, else, of files that belong to
 * subordinate ids, in a namespace where they are this user's.
 */
export async function withTreeRemover<T>(tools: Tools, work: (remove: RemoveTree) => Promise<T>): Promise<T> {
  let worker: LayerWorker | undefined;
  const remove: RemoveTree = async (path) => {
    try {
      removeTree(path);
    } catch (error) {
      if (process.getuid?.() === 0) throw error;
      const { environment, interruption } = tools;
      worker ??= openLayerWorker(workerStart(tools), { environment, signal: interruption.signal });
      await worker.remove(path);
    }
  };
  try {
    return await work(remove);
  } finally {
    await worker?.close();
  }
}
