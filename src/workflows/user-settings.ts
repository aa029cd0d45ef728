import { mergeSettings } from "../agent/settings.ts";
import { parseJsonc } from "../devcontainer/jsonc-document.ts";
import { UserError } from "../errors.ts";
import { readUserFiles, valuesOf } from "./load-agent-settings.ts";
import type { Tools } from "./tools.ts";

/** What the user's own files, and no project's, say for every command. */
export interface UserSettings {
  /** The engine's client to use where neither flag nor environment names one. */
  readonly dockerPath: string | undefined;
  /** Whether a repository's own commands (initializeCommand) may run on this host; undefined asks. */
  readonly hostCommands: boolean | undefined;
}

/** Reads the user's settings; absent files, absent settings. Throws UserError for one that cannot be understood. */
export function readUserSettings(tools: Pick<Tools, "environment" | "homeDirectory">): UserSettings {
  const documents = new Map(readUserFiles(tools).map(({ path, text }) => [path, parseJsonc(text, path)] as const));
  const layers = [...documents].map(([name, document]) => {
    const { docker_path, host_commands } = valuesOf(name, document);
    return { name, origin: "user" as const, values: { docker_path, host_commands } };
  });
  const { settings, wrong } = mergeSettings(layers, { isInside: () => false });
  const problems = wrong.map(({ layer, key, text }) => `${documents.get(layer)?.locate([key]) ?? layer}: ${text}`);
  if (problems.length > 0) throw new UserError(problems.join("\n"));
  return { dockerPath: settings.docker_path ?? undefined, hostCommands: settings.host_commands ?? undefined };
}
