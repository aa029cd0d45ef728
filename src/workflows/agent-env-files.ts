import { readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { readEnvFile } from "../agent/env-file.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { UserError } from "../errors.ts";
import type { EnvFile } from "../plan/agent-container.ts";
import type { GuardedPath } from "../plan/plan-agent-container.ts";
import { expandHome, isHeld, userConfigFolders } from "./load-agent-settings.ts";
import type { Tools } from "./tools.ts";

/** The user's own file, then the project's; throws UserError for a project's that takes variables of this machine. */
export function findEnvFiles(
  workspace: string,
  { settings, tools }: { readonly settings: AgentSettings; readonly tools: Tools },
): readonly EnvFile[] {
  const [own, ocx] = userConfigFolders(tools);
  const named = settings.env_file ?? "ocx.env";
  const project = expandHome(named, { home: tools.homeDirectory, folder: workspace });
  const projects = isHeld(named, workspace) && isFile(project) ? [project] : [];
  for (const path of projects) refuseBareNames(path);
  return [join(ocx, "ocx.env"), join(own, "agent.env"), ...projects]
    .filter(isFile)
    .map((path) => ({ path, names: readEnvFile(readFileSync(path, "utf8")).names }));
}

/** Env files of the project by other names than the usual: the next run reads what an agent wrote there. */
export function guardedEnvFiles(
  files: readonly EnvFile[],
  { workspace, guards }: { readonly workspace: string; readonly guards: readonly GuardedPath[] },
): readonly GuardedPath[] {
  return files
    .map(({ path }) => relative(workspace, path))
    .filter((path) => !isAbsolute(path) && path !== ".." && !path.startsWith("../"))
    .filter((path) => guards.every((guard) => guard.path !== path))
    .map((path) => ({ path, kind: "file" }));
}

/** What this machine's variables hold is the user's to hand out. */
function refuseBareNames(path: string): void {
  const [first] = readEnvFile(readFileSync(path, "utf8")).bare;
  if (first === undefined) return;
  throw new UserError(
    `${path}:${first.line}: ${JSON.stringify(first.name)} has no value, so that the engine would take this machine's; wanted NAME=value.`,
    { hint: "Give it a value there, or name it in env_passthrough of your own config.jsonc." },
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
