import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import {
  type AgentSettings,
  environmentValues,
  type MergedSettings,
  mergeSettings,
  type SettingLayer,
  type SettingProblem,
} from "../agent/settings.ts";
import { type JsoncDocument, parseJsonc } from "../devcontainer/jsonc-document.ts";
import { UserError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { configDirectory, stateDirectory } from "../store/directories.ts";
import { isTrusted } from "../store/project-trust.ts";
import type { Tools } from "./tools.ts";

/** The settings of a project, and how they came about. */
export interface LoadedAgentSettings extends Pick<MergedSettings, "sources" | "ignored"> {
  readonly settings: AgentSettings;
  /** The files that were read, in rising order of what counts more. */
  readonly files: readonly string[];
  /** Of these the project's own. */
  readonly projectFiles: readonly SettingsFile[];
}

/** A file of settings as it was read. */
export interface SettingsFile {
  readonly path: string;
  readonly text: string;
}

const PROJECT_NAMES = ["ocx.json", "cooper.jsonc"];

/**
 * Reads the user's and the project's files and the environment. Warns, once for each, of names that mean nothing and of what an
 * untrusted project would have set. Throws UserError with `file:line:column` for a value of the wrong kind.
 */
export function loadAgentSettings(
  workspaceFolder: string,
  tools: Pick<Tools, "environment" | "homeDirectory" | "log">,
): LoadedAgentSettings {
  const user = userFiles(tools).flatMap(readIfThere);
  const project = PROJECT_NAMES.flatMap((name) => readIfThere(join(workspaceFolder, name)));
  const state = stateDirectory(tools);
  const documents = new Map([...user, ...project].map(({ path, text }) => [path, parseJsonc(text, path)] as const));
  const layers: SettingLayer[] = [
    ...user.map(({ path }) => ({ name: path, untrusted: false, values: valuesOf(path, documents) })),
    ...project.map((file) => ({
      name: file.path,
      untrusted: !isTrusted(state, file),
      values: valuesOf(file.path, documents),
    })),
    { name: "environment", untrusted: false, values: environmentValues(tools.environment) },
  ];
  const { wrong, unknown, ...merged } = mergeSettings(layers, { isInside: (path) => isInside(workspaceFolder, path) });
  const where = ({ layer, key }: SettingProblem) => documents.get(layer)?.locate([key]) ?? layer;
  const [first, ...others] = wrong.map((problem) => `${where(problem)}: ${problem.text}`);
  if (first !== undefined) throw new UserError([first, ...others].join("\n"));
  for (const problem of unknown) {
    tools.log.warning(`${documents.get(problem.layer)?.locateKey([problem.key]) ?? problem.layer}: ${problem.text}`);
  }
  for (const problem of merged.ignored) {
    tools.log.warning(`${where(problem)}: ${problem.key} is ignored: ${problem.text} (cooper config trust).`);
  }
  return { ...merged, files: layers.slice(0, -1).map(({ name }) => name), projectFiles: project };
}

/** Whether a project has a file of cooper's own settings. */
export function hasAgentSettings(workspaceFolder: string): boolean {
  return PROJECT_NAMES.some((name) => existsSync(join(workspaceFolder, name)));
}

/** Whether a path, relative to a folder, stays in it once links are followed. */
export function isInside(folder: string, path: string): boolean {
  if (path.startsWith("~")) return false;
  const root = realpathSync(folder);
  let place = resolve(root, path);
  let rest = "";
  // What is not there yet is judged by the nearest folder that is.
  while (!existsSync(place) && place !== dirname(place)) {
    rest = join(place.slice(dirname(place).length), rest);
    place = dirname(place);
  }
  const real = join(realpathSync(place), rest);
  return real === root || real.startsWith(root + sep);
}

/** A path as the user's files have it: `~` is the home directory, anything else is relative to `folder`. */
export function expandHome(path: string, { home, folder }: { readonly home: string; readonly folder: string }): string {
  if (path === "~" || path.startsWith("~/")) return join(home, path.slice(1));
  return isAbsolute(path) ? path : resolve(folder, path);
}

/** The user's own folders of settings, the one that counts most first. */
export function userConfigFolders(tools: Pick<Tools, "environment" | "homeDirectory">): readonly [string, string] {
  const own = configDirectory(tools);
  return [own, join(dirname(own), "ocx")];
}

function userFiles(tools: Pick<Tools, "environment" | "homeDirectory">): readonly string[] {
  const [own, ocx] = userConfigFolders(tools);
  return [join(ocx, "ocx.json"), join(own, "ocx.json"), join(own, "config.jsonc")];
}

function readIfThere(path: string): SettingsFile[] {
  try {
    return [{ path, text: readFileSync(path, "utf8") }];
  } catch {
    return [];
  }
}

function valuesOf(path: string, documents: ReadonlyMap<string, JsoncDocument>): Record<string, unknown> {
  const value = documents.get(path)?.value ?? {};
  if (!isJsonObject(value))
    throw new UserError(`${path} holds no JSON object; wanted one of cooper's keys and their values.`);
  const { $schema: _, ...values } = value;
  return values;
}
