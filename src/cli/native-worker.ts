import { runSandboxWorker } from "../runtime/sandbox-worker.ts";

/** What cooper does when it has started itself in namespaces; not for people. Resolves to the exit code. */
export async function nativeWorker(args: readonly string[]): Promise<number> {
  const [task, folder] = args;
  if (task === "step" && folder !== undefined) return runSandboxWorker(folder);
  process.stderr.write("cooper starts this subcommand by itself.\n");
  return 1;
}
