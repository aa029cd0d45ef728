import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import {
  type AgentSettings,
  environmentNames,
  environmentValues,
  type MergedSettings,
  mergeSettings,
  type SettingLayer,
  type SettingProblem,
} from "../agent/settings.ts";
import { SETTINGS } from "../agent/settings-table.ts";
import { type JsoncDocument, parseJsonc } from "../devcontainer/jsonc-document.ts";
import { messageOf, UserError } from "../errors.ts";
import { isEmptyFolder } from "../host/is-empty-folder.ts";
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

/** What a project's own settings are called, the one that counts most last. */
export const SETTINGS_NAMES = ["ocx.json", "cooper.jsonc"];

/**
 * Reads the user's and the project's files and the environment. Warns, once for each, of names that mean nothing and of what an
 * untrusted project would have set. Throws UserError with `file:line:column` for a value of the wrong kind.
 */
export function loadAgentSettings(
  workspaceFolder: string,
  tools: Pick<Tools, "environment" | "homeDirectory" | "log">,
): LoadedAgentSettings {
  const { warnings, ...loaded } = readAgentSettings(workspaceFolder, tools);
  for (const warning of warnings) tools.log.warning(warning);
  return loaded;
}

/** Like `loadAgentSettings`, with the warnings handed back. */
export function readAgentSettings(
  workspaceFolder: string,
  tools: Pick<Tools, "environment" | "homeDirectory">,
): LoadedAgentSettings & { readonly warnings: readonly string[] } {
  const user = readUserFiles(tools);
  const project = SETTINGS_NAMES.flatMap((name) => readIfThere(join(workspaceFolder, name)));
  const state = stateDirectory(tools);
  const documents = new Map([...user, ...project].map(({ path, text }) => [path, parseJsonc(text, path)] as const));
  const layers: SettingLayer[] = [
    ...user.map(({ path }) => ({ name: path, origin: "user" as const, values: valuesOf(path, documents.get(path)) })),
    ...project.map((file) => ({
      name: file.path,
      origin: isTrusted(state, file) ? ("trusted project" as const) : ("untrusted project" as const),
      values: valuesOf(file.path, documents.get(file.path)),
    })),
    { name: "environment", origin: "user", values: environmentValues(tools.environment) },
  ];
  const { wrong, unknown, ...merged } = mergeSettings(layers, { isInside: (path) => isInside(workspaceFolder, path) });
  const where = ({ layer, key }: SettingProblem) =>
    documents.get(layer)?.locate([key]) ?? setVariable(key, tools.environment) ?? layer;
  const [first, ...others] = wrong.map((problem) => `${where(problem)}: ${problem.text}`);
  if (first !== undefined) throw new UserError([first, ...others].join("\n"));
  const warnings = [
    ...[...documents.values()].flatMap(repetitions),
    ...unknown.map(
      ({ layer, key, text }) => `${documents.get(layer)?.locateKey([key]) ?? layer}: ${text} It is ignored.`,
    ),
    ...merged.ignored.map((problem) => `${where(problem)}: ${problem.key} is ignored: ${problem.text}.`),
  ];
  return { ...merged, files: layers.slice(0, -1).map(({ name }) => name), projectFiles: project, warnings };
}

function repetitions({ duplicates, locateKey }: JsoncDocument): string[] {
  return duplicates.map(
    (path) => `${locateKey(path)}: ${path.join(".")} is written more than once; the last one counts.`,
  );
}

/** The variable that sets a key. */
function setVariable(key: string, environment: Tools["environment"]): string | undefined {
  const names = Object.hasOwn(SETTINGS, key) ? environmentNames(key) : [];
  return names.find((name) => (environment[name] ?? "") !== "");
}

/** Whether a project has a file of cooper's own settings. */
export function hasAgentSettings(workspaceFolder: string): boolean {
  return SETTINGS_NAMES.map((name) => join(workspaceFolder, name)).some(
    (path) => existsSync(path) && !isEmptyFolder(path),
  );
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

/** Whether a path of a setting may be used: one that is relative to the project must stay in it, whatever links the project has. */
export function isHeld(path: string, folder: string): boolean {
  return isAbsolute(path) || path.startsWith("~") || isInside(folder, path);
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

/** The user's own files that are there, in rising order of what counts more. */
export function readUserFiles(tools: Pick<Tools, "environment" | "homeDirectory">): readonly SettingsFile[] {
  const [own, ocx] = userConfigFolders(tools);
  return [join(ocx, "ocx.json"), join(own, "ocx.json"), join(own, "config.jsonc")].flatMap(readIfThere);
}

const LONGEST = 1024 * 1024;

function readIfThere(path: string): SettingsFile[] {
  if (!existsSync(path) || isEmptyFolder(path)) return [];
  const found = statSync(path);
  // A repository may hold a link to a device that never ends.
  if (!found.isFile()) throw new UserError(`Could not read ${path}: it is no regular file.`);
  if (found.size > LONGEST) {
    throw new UserError(`Could not read ${path}: it has ${found.size} bytes; wanted at most ${LONGEST}.`);
  }
  try {
    return [{ path, text: readFileSync(path, "utf8") }];
  } catch (cause) {
    // Not as if it were not there: what it forbids would be allowed.
    throw new UserError(`Could not read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

/** The keys and values of a file that was read; throws UserError for one that is no JSON object. */
export function valuesOf(path: string, document: JsoncDocument | undefined): Record<string, unknown> {
  const value = document?.value ?? {};
  if (!isJsonObject(value))
    throw new UserError(`${path} holds no JSON object; wanted one of cooper's keys and their values.`);
  const { $schema: _, ...values } = value;
  return values;
}
