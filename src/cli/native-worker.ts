import { runSandboxWorker } from "../runtime/sandbox-worker.ts";
import { serveLayerTasks } from "../runtime/serve-layer-tasks.ts";

/** What cooper does when it has started itself in namespaces; not for people. Resolves to the exit code. */
export async function nativeWorker(args: readonly string[]): Promise<number> {
  const [task, folder] = args;
  if (task === "step" && folder !== undefined) return runSandboxWorker(folder);
  if (task === "layers") return serveLayerTasks();
  process.stderr.write("cooper starts this subcommand by itself.\n");
  return 1;
}
