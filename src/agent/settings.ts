import * as v from "valibot";
import { nearestName } from "../nearest-name.ts";
import {
  type AgentFolderKey,
  type AgentVersionKey,
  type CommonSettingKey,
  type CommonSettingValue,
  type ProjectPlace,
  SETTINGS,
  type Setting,
  type SettingsTable,
} from "./settings-table.ts";

/** The value of every key; null for one that nobody sets. */
export type AgentSettings = {
  readonly [Key in CommonSettingKey]: CommonSettingValue<Key> | null;
} & { readonly [Key in AgentVersionKey | AgentFolderKey]: string | null };

/** Where a key's value comes from: `default`, `environment`, or a file's name; several for a list. */
export type SettingSources = Readonly<Record<string, readonly string[]>>;

/** Values of one file or of the environment, in rising order of what counts more. */
export interface SettingLayer {
  readonly name: string;
  /** The user's own file or environment, or a project's file, which may not say everything, and less before it is trusted. */
  readonly origin: "user" | "trusted project" | "untrusted project";
  readonly values: Readonly<Record<string, unknown>>;
}

/** Something that was left out, with its key. */
export interface SettingProblem {
  readonly layer: string;
  readonly key: string;
  readonly text: string;
}

/** Settings as the layers make them. */
export interface MergedSettings {
  readonly settings: AgentSettings;
  readonly sources: SettingSources;
  /** Values of the wrong kind: errors. */
  readonly wrong: readonly SettingProblem[];
  /** Names that mean nothing. */
  readonly unknown: readonly SettingProblem[];
  /** What an untrusted project would have set. */
  readonly ignored: readonly IgnoredSetting[];
}

/** What an untrusted project would have set, and to what. */
export interface IgnoredSetting extends SettingProblem {
  readonly value: unknown;
  /** Whether trust would let it count. */
  readonly grantable: boolean;
}

/**
 * The layers as one: null means unset, lists are joined without repetition, everything else is replaced by what counts more. What an
 * untrusted layer may not set is left out and told.
 */
export function mergeSettings(
  layers: readonly SettingLayer[],
  { isInside, table = SETTINGS }: Pick<ProjectPlace, "isInside"> & { readonly table?: SettingsTable },
): MergedSettings {
  const merged = new Map<string, unknown>(Object.entries(table).map(([key, known]) => [key, known.default]));
  const sources = new Map<string, string[]>();
  const wrong: SettingProblem[] = [];
  const unknown: SettingProblem[] = [];
  const ignored: IgnoredSetting[] = [];
  for (const { name: layer, origin, values } of layers) {
    for (const [key, value] of Object.entries(values)) {
      const setting = Object.hasOwn(table, key) ? table[key] : undefined;
      if (setting === undefined) {
        unknown.push({ layer, key, text: unknownText(key, table) });
        continue;
      }
      if (value === null || value === undefined) continue;
      const parsed = v.safeParse(setting.schema, value);
      if (!parsed.success) {
        wrong.push({ layer, key, text: `${key} is ${JSON.stringify(value)}; wanted ${parsed.issues[0].message}.` });
        continue;
      }
      const before = merged.get(key);
      const refusal = refusalOf(setting, parsed.output, { origin, place: { isInside, before } });
      if (refusal !== undefined) {
        const grantable = setting.project !== "never";
        ignored.push({ layer, key, text: refusal, value: parsed.output, grantable });
        continue;
      }
      const isList = Array.isArray(parsed.output);
      merged.set(key, isList && Array.isArray(before) ? [...new Set([...before, ...parsed.output])] : parsed.output);
      sources.set(key, isList ? [...(sources.get(key) ?? []), layer] : [layer]);
    }
  }
  const settings: object = Object.fromEntries(merged);
  if (!isSettings(settings, table)) throw new TypeError("Settings are checked as they are merged.");
  return {
    settings,
    sources: Object.fromEntries(Object.keys(table).map((key) => [key, sources.get(key) ?? ["default"]])),
    wrong,
    unknown,
    ignored,
  };
}

/** The values that the environment sets, as `COOPER_<KEY>` or, where that is not there, `OCX_<KEY>`; TZ for the time zone. */
export function environmentValues(
  environment: Readonly<Record<string, string | undefined>>,
  table: SettingsTable = SETTINGS,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, known]) => {
      const names = environmentNames(key);
      const text = names.map((name) => environment[name]).find((value) => value !== undefined && value !== "");
      return text === undefined ? [] : [[key, fromText(known, text)] as const];
    }),
  );
}

/** The variables that set a key, the one that counts most first. */
export function environmentNames(key: string): readonly string[] {
  // Flags of those commands that heed it say it instead.
  if (key === "host_commands") return [];
  const upper = key.toUpperCase();
  if (key === "docker_path") return [`COOPER_${upper}`];
  return [`COOPER_${upper}`, `OCX_${upper}`, ...(key === "timezone" ? ["TZ"] : [])];
}

/** What an untrusted project's file may say of a key, in words. */
export function projectRule(setting: Setting): string {
  const { project } = setting;
  if (project === "any") return "yes";
  if (project === "never") return "never";
  return project === "none" ? "once trusted" : `${project.rule}; else once trusted`;
}

function isSettings(value: object, table: SettingsTable): value is AgentSettings {
  const values = new Map<string, unknown>(Object.entries(value));
  return Object.entries(table).every(([key, { schema }]) => v.is(v.nullable(schema), values.get(key)));
}

function unknownText(key: string, table: SettingsTable): string {
  const near = nearestName(key, Object.keys(table));
  return `${JSON.stringify(key)} is no key of cooper's${near === undefined ? "." : `; did you mean ${JSON.stringify(near)}?`}`;
}

function refusalOf(
  { project }: Setting,
  value: unknown,
  { origin, place }: { readonly origin: SettingLayer["origin"]; readonly place: ProjectPlace },
): string | undefined {
  if (origin === "user") return undefined;
  if (project === "never") return "it belongs in your own config.jsonc, not in a project";
  if (origin === "trusted project" || project === "any") return undefined;
  if (project === "none") return "only a trusted project may set it (cooper config trust)";
  return project.safe(value, place)
    ? undefined
    : `only a trusted project may set it to anything but ${project.rule} (cooper config trust)`;
}

/** Text that is no number stays text, which the schema then refuses by what it is. */
function fromText({ type }: Setting, value: string): unknown {
  switch (type) {
    case "text":
      return value;
    case "number":
      return /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    case "boolean":
      return value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : value;
    case "list":
      return value.split(":").filter((part) => part !== "");
  }
}
