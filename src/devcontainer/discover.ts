import { basename, dirname, join, resolve } from "node:path/posix";
import { UserError } from "../errors.ts";
import type { DevContainerConfig } from "./schema.ts";

/** Where a devcontainer.json may be: the first of `candidates` that exists, else `otherwise` when there is such a path. */
export type ConfigSearch = {
  readonly candidates: readonly string[];
  /** Names the configuration although no file is there: its content comes from the override config. */
  readonly otherwise: string | undefined;
};

/** The workspace folder that a path stands for: a `.code-workspace` file stands for the folder that it is in. */
export function workspaceFolderOf(path: string): string {
  return path.endsWith(".code-workspace") ? dirname(path) : path;
}

/** Where to look for the configuration; all paths absolute. An explicit `config` is the only candidate. */
export function configSearch(places: {
  workspaceFolder?: string | undefined;
  config?: string | undefined;
  overrideConfig?: string | undefined;
}): ConfigSearch {
  const { workspaceFolder, config, overrideConfig } = places;
  if (config !== undefined) return { candidates: [config], otherwise: overrideConfig && config };
  if (workspaceFolder === undefined) return { candidates: [], otherwise: overrideConfig };
  const usual = join(workspaceFolder, ".devcontainer/devcontainer.json");
  return {
    candidates: [usual, join(workspaceFolder, ".devcontainer.json")],
    otherwise: overrideConfig && usual,
  };
}

/** Throws a UserError unless the file is called as `up` wants it. */
export function checkConfigName(configPath: string): void {
  if (["devcontainer.json", ".devcontainer.json"].includes(basename(configPath))) return;
  throw new UserError(`Filename must be devcontainer.json or .devcontainer.json (${configPath}).`);
}

/** The lockfile beside a configuration, hidden where the configuration is. */
export function lockfilePath(configPath: string): string {
  const hidden = basename(configPath).startsWith(".");
  return join(dirname(configPath), hidden ? ".devcontainer-lock.json" : "devcontainer-lock.json");
}

/** The Dockerfile that a configuration names, absolute when `configPath` is; undefined when it names none. */
export function dockerfilePath(config: DevContainerConfig, configPath: string): string | undefined {
  const written = config.dockerFile ?? config.build?.dockerfile;
  return written === undefined ? undefined : resolve(dirname(configPath), written);
}

/** The build context of a configuration with a Dockerfile: as written beside it, else the Dockerfile's folder. */
export function buildContextPath(config: DevContainerConfig, configPath: string): string {
  const written = config.dockerFile === undefined ? config.build?.context : config.context;
  if (written !== undefined) return resolve(dirname(configPath), written);
  return dirname(dockerfilePath(config, configPath) ?? configPath);
}
