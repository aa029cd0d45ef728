import type { SelfCommand } from "../host/self-command.ts";
import type { Command } from "../plan/command.ts";
import type { SandboxMeans } from "./sandbox-means.ts";

/** The subcommand under which cooper starts itself in namespaces. */
export const WORKER_COMMAND = "native-worker";

/** What a worker is started with. */
export interface WorkerStart {
  readonly means: SandboxMeans;
  readonly self: SelfCommand;
}

/** Starts the first process of fresh namespaces, which runs the step of `folder`. */
export function sandboxCommand(start: WorkerStart, step: { folder: string; network: "host" | "none" }): Command {
  const network = step.network === "none" ? ["--net"] : [];
  return unshare(start, {
    namespaces: ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", ...network],
    args: ["step", step.folder],
  });
}

/** Starts a worker that makes and removes the files of layers, with the ids of a step and the host's files. */
export function layerWorkerCommand(start: WorkerStart): Command {
  const { means, self } = start;
  switch (means.identity) {
    case "root":
      return { file: self.file, args: [...self.args, WORKER_COMMAND, "layers"], env: {} };
    case "user-namespace":
      return unshare(start, { namespaces: [], args: ["layers"] });
  }
}

function unshare(
  { means, self }: WorkerStart,
  what: { namespaces: readonly string[]; args: readonly string[] },
): Command {
  const user = means.identity === "root" ? [] : ["--user", "--map-auto", "--map-root-user"];
  return {
    file: "unshare",
    args: [...user, ...what.namespaces, "--", self.file, ...self.args, WORKER_COMMAND, ...what.args],
    env: {},
  };
}
