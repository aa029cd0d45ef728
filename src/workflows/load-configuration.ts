import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import { configSearch, workspaceFolderOf } from "../devcontainer/discover.ts";
import { parseDevContainerConfig } from "../devcontainer/parse.ts";
import { type DevContainerConfig, devContainerSchema } from "../devcontainer/schema.ts";
import { type SubstitutionContext, substituteObject } from "../devcontainer/substitute.ts";
import {
  type FileFacts,
  type MountWishes,
  type WorkspaceMount,
  workspaceMountOf,
} from "../devcontainer/workspace-mount.ts";
import { UserError } from "../errors.ts";
import { isEmptyFolder } from "../host/is-empty-folder.ts";
import type { JsonObject } from "../json.ts";
import type { Tools } from "./tools.ts";

/** A devcontainer.json, found, read and checked. */
export interface LoadedConfiguration {
  /** Absolute. */
  readonly workspaceFolder: string;
  /** Absolute. */
  readonly configPath: string;
  /** With the host's variables replaced. */
  readonly config: DevContainerConfig;
  readonly substitutedConfig: JsonObject;
  /** As written, after the migration of old properties: what the metadata label carries. */
  readonly rawConfig: JsonObject;
  /** What `config` was substituted with; the container's identity and environment are added to it once they are known. */
  readonly substitution: SubstitutionContext;
  /** Where the workspace is in its container. */
  readonly workspace: WorkspaceMount;
}

/** How a workspace is to be mounted, as the command line has it. */
export type MountFlags = Pick<MountWishes, "gitRoot" | "worktreeCommonDirectory" | "consistency">;

const USUAL_MOUNT: MountFlags = { gitRoot: true, worktreeCommonDirectory: false, consistency: undefined };

/** Where a configuration is looked for; paths absolute. */
export interface ConfigurationPlace {
  /** Undefined for a configuration that belongs to no workspace: what it says of one stays as written, and nothing is mounted. */
  readonly workspaceFolder: string | undefined;
  readonly configPath: string | undefined;
  /** Read instead of the configuration, which then only names it and what is relative to it. */
  readonly overrideConfigPath?: string | undefined;
  readonly mountFlags?: MountFlags | undefined;
}

/** Finds and reads a workspace's devcontainer.json; warns of what means nothing, throws UserError for what is wrong or missing. */
export function loadConfiguration(
  place: ConfigurationPlace,
  tools: Pick<Tools, "environment" | "log">,
): LoadedConfiguration {
  const { overrideConfigPath } = place;
  const alone = place.configPath ?? overrideConfigPath;
  const workspaceFolder = workspaceFolderOf(place.workspaceFolder ?? dirname(alone ?? "/"));
  const search = configSearch({
    workspaceFolder: place.workspaceFolder === undefined ? undefined : workspaceFolder,
    config: place.configPath,
    overrideConfig: overrideConfigPath,
  });
  const found = search.candidates.find((path) => existsSync(path) && !isEmptyFolder(path)) ?? search.otherwise;
  const file = overrideConfigPath ?? found;
  const text = file === undefined ? undefined : readText(file);
  if (file === undefined || text === undefined || text.trim() === "") {
    throw notFound(overrideConfigPath === undefined ? search.candidates : [overrideConfigPath], file);
  }
  const { config, raw, warnings } = parseDevContainerConfig(text, file);
  for (const warning of warnings) tools.log.warning(warning);
  const wishes = { ...(place.mountFlags ?? USUAL_MOUNT), workspaceFolder, platform: process.platform };
  const mountOf = (written: DevContainerConfig) =>
    place.workspaceFolder === undefined ? withoutWorkspace(written) : workspaceMountOf(written, wishes, hostFiles);
  const substitution: SubstitutionContext = {
    localEnv: tools.environment,
    ...(place.workspaceFolder === undefined ? {} : { localWorkspaceFolder: workspaceFolder }),
    containerWorkspaceFolder: mountOf(config).workspaceFolder || undefined,
    platform: process.platform,
  };
  const substitutedConfig = substituteObject(raw, substitution);
  const checked = v.parse(devContainerSchema, substitutedConfig);
  return {
    workspaceFolder,
    configPath: found ?? file,
    config: checked,
    substitutedConfig,
    rawConfig: raw,
    substitution,
    workspace: mountOf(checked),
  };
}

function withoutWorkspace({ workspaceFolder = "", workspaceMount }: DevContainerConfig): WorkspaceMount {
  return { workspaceFolder, workspaceMount, additionalMount: undefined };
}

/** As `loadConfiguration`, but undefined with nothing to look in, and where an `optional` one is not there or is wrong and none was named outright. */
export function tryLoadConfiguration(
  place: ConfigurationPlace,
  { optional, tools }: { readonly optional: boolean; readonly tools: Pick<Tools, "environment" | "log"> },
): LoadedConfiguration | undefined {
  const { workspaceFolder, configPath, overrideConfigPath } = place;
  if (workspaceFolder === undefined && configPath === undefined && overrideConfigPath === undefined) return undefined;
  try {
    return loadConfiguration(place, tools);
  } catch (error) {
    if (optional && configPath === undefined && overrideConfigPath === undefined) return undefined;
    throw error;
  }
}

const hostFiles: FileFacts = {
  exists: existsSync,
  isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  readText,
};

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** A workspace has no devcontainer.json where one is looked for. */
export class NoConfiguration extends UserError {}

function notFound(candidates: readonly string[], found: string | undefined): NoConfiguration {
  const path = found ?? candidates[0] ?? "devcontainer.json";
  const others = candidates.filter((candidate) => candidate !== path);
  const reason = found === undefined ? "" : " It is empty or cannot be read.";
  const looked = others.length === 0 ? "" : ` Looked at ${others.join(", ")} too.`;
  return new NoConfiguration(`Dev container config (${path}) not found.${reason}${looked}`, {
    hint: "Name the project with --workspace-folder or its configuration with --config, or write a devcontainer.json with an image.",
  });
}
