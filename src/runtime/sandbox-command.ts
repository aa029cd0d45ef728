import type { SelfCommand } from "../host/self-command.ts";
import type { Command } from "../plan/command.ts";
import type { IdMapping } from "./id-mapping.ts";
import { ID_MAPPING_SCRIPT, ID_WAITING_SCRIPT, ID_WRITING_SCRIPT } from "./id-mapping-script.ts";
import type { SandboxMeans } from "./sandbox-means.ts";
import type { SandboxRequest } from "./sandbox-request.ts";

/** The subcommand under which cooper starts itself in namespaces. */
export const WORKER_COMMAND = "native-worker";

/** What is typed to end a program ends `unshare` too, and with it a program that has more to do then. */
const DEAF_SCRIPT = `trap '' INT QUIT; exec "$@"`;

/** What a worker is started with. */
export interface WorkerStart {
  readonly means: SandboxMeans;
  readonly self: SelfCommand;
  /** Asked when the first worker is started. */
  readonly idMapping: () => Promise<IdMapping>;
}

/** Starts the first process of fresh namespaces, which runs the step of `folder`. */
export async function sandboxCommand(
  { self, idMapping }: WorkerStart,
  step: Pick<SandboxRequest, "network" | "stdio"> & { readonly folder: string },
): Promise<Command> {
  const network = step.network === "none" ? ["--net"] : [];
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", ...network];
  const command = unshare(await idMapping(), { namespaces, program: workerProgram(self, ["step", step.folder]) });
  switch (step.stdio) {
    case "output":
      return command;
    case "inherited":
      return { file: "/bin/sh", args: ["-c", DEAF_SCRIPT, "sh", command.file, ...command.args], env: command.env };
  }
}

/** Starts a worker that makes and removes the files of layers, with the ids of a step and the host's files. */
export async function layerWorkerCommand({ self, idMapping }: WorkerStart): Promise<Command> {
  const mapping = await idMapping();
  const [file = "", ...args] = workerProgram(self, ["layers"]);
  switch (mapping.kind) {
    case "none":
      return { file, args, env: {} };
    // The ids are the same outside of the namespace.
    case "written":
      return { file, args, env: {} };
    case "automatic":
    case "named":
      return unshare(mapping, { namespaces: [], program: [file, ...args] });
  }
}

function workerProgram(self: SelfCommand, args: readonly string[]): readonly string[] {
  return [self.file, ...self.args, WORKER_COMMAND, ...args];
}

function unshare(
  mapping: IdMapping,
  { namespaces, program }: { namespaces: readonly string[]; program: readonly string[] },
): Command {
  switch (mapping.kind) {
    case "none":
      return { file: "unshare", args: [...namespaces, "--", ...program], env: {} };
    case "automatic":
      return {
        file: "unshare",
        args: ["--user", "--map-auto", "--map-root-user", ...namespaces, "--", ...program],
        env: {},
      };
    case "named":
    case "written": {
      const script = mapping.kind === "named" ? ID_MAPPING_SCRIPT : ID_WRITING_SCRIPT;
      const inside = ["/bin/sh", "-c", ID_WAITING_SCRIPT, "sh", ...program];
      const starter = ["-c", script, "sh", mapping.uids, mapping.gids];
      return { file: "/bin/sh", args: [...starter, ...namespaces, "--", ...inside], env: {} };
    }
  }
}
