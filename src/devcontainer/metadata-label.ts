import * as v from "valibot";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { metadataEntrySchema } from "./schema.ts";
import { type SubstitutionContext, substituteObject } from "./substitute.ts";

/** The name of the image label that carries the metadata. */
export const metadataLabelName = "devcontainer.metadata";

/** What one origin (base image, Feature or devcontainer.json) says about the container: as written, unsubstituted. */
export type MetadataEntry = v.InferOutput<typeof metadataEntrySchema>;

const featureKeys = [
  "onCreateCommand",
  "updateContentCommand",
  "postCreateCommand",
  "postStartCommand",
  "postAttachCommand",
  "init",
  "privileged",
  "capAdd",
  "securityOpt",
  "entrypoint",
  "mounts",
  "customizations",
];

const configKeys = [
  "onCreateCommand",
  "updateContentCommand",
  "postCreateCommand",
  "postStartCommand",
  "postAttachCommand",
  "waitFor",
  "customizations",
  "mounts",
  "containerEnv",
  "containerUser",
  "init",
  "privileged",
  "capAdd",
  "securityOpt",
  "remoteUser",
  "userEnvProbe",
  "remoteEnv",
  "overrideCommand",
  "portsAttributes",
  "otherPortsAttributes",
  "forwardPorts",
  "shutdownAction",
  "updateRemoteUserUID",
  "hostRequirements",
];

/**
 * Reads a label's text: a JSON array of entries, or one bare object. Never throws; what cannot be used (no JSON, an
 * entry that is no object, a property of the wrong type) is left out and named in `problems`.
 */
export function readMetadataLabel(text: string): { entries: MetadataEntry[]; problems: string[] } {
  const problems: string[] = [];
  const entries: MetadataEntry[] = [];
  for (const [index, value] of labelItems(text, problems).entries()) {
    const entry = usableEntry(value, { index, problems });
    if (entry !== undefined) entries.push(entry);
  }
  return { entries, problems };
}

/** The entry with variables replaced. */
export function substituteEntry(entry: MetadataEntry, context: SubstitutionContext): MetadataEntry {
  return checkedEntry(substituteObject(entry, context)).entry;
}

/** The entry of a devcontainer.json, from its unsubstituted value after migration; undefined when it says nothing. */
export function configMetadataEntry(
  rawConfig: JsonObject,
  options: { omitRemoteEnv?: boolean } = {},
): MetadataEntry | undefined {
  const keys = options.omitRemoteEnv ? configKeys.filter((key) => key !== "remoteEnv") : configKeys;
  return nonEmpty(checkedEntry(pick(rawConfig, keys)).entry);
}

/** The entry of a Feature: the id as the user wrote it, then what its devcontainer-feature.json says. */
export function featureMetadataEntry(
  userId: string,
  featureJson: JsonObject,
  options: { omitCustomizations?: boolean } = {},
): MetadataEntry {
  const keys = options.omitCustomizations ? featureKeys.filter((key) => key !== "customizations") : featureKeys;
  return checkedEntry({ id: userId, ...pick(featureJson, keys) }).entry;
}

/** The properties that count from the current devcontainer.json although the container was made from an older one. */
export function updateableMetadataEntry(rawConfig: JsonObject): MetadataEntry | undefined {
  return nonEmpty(checkedEntry(pick(rawConfig, ["remoteUser", "userEnvProbe", "remoteEnv"])).entry);
}

function labelItems(text: string, problems: string[]): JsonValue[] {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    problems.push(`The label ${metadataLabelName} is not JSON; it is ignored.`);
    return [];
  }
  if (Array.isArray(value)) return value;
  if (isJsonObject(value)) return [value];
  problems.push(`The label ${metadataLabelName} is neither a JSON array nor an object; it is ignored.`);
  return [];
}

function usableEntry(value: JsonValue, options: { index: number; problems: string[] }): MetadataEntry | undefined {
  const where = `Entry ${options.index + 1} of the label ${metadataLabelName}`;
  if (!isJsonObject(value)) {
    options.problems.push(`${where} is not an object; it is ignored.`);
    return undefined;
  }
  const { entry, wrong } = checkedEntry(value);
  for (const [key, wanted] of wrong) options.problems.push(`${where}: "${key}" is not ${wanted}; it is ignored.`);
  return nonEmpty(entry);
}

/** The value without the properties of the wrong type, and what those were wanted to be; other keys and order as given. */
function checkedEntry(value: JsonObject): { entry: MetadataEntry; wrong: Map<string, string> } {
  const wrong = new Map<string, string>();
  for (const issue of v.safeParse(metadataEntrySchema, value).issues ?? []) {
    const key = issue.path?.[0].key;
    if (typeof key === "string") wrong.set(key, issue.message);
  }
  const entry = Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !wrong.has(key))
      .map(([key, member]) => [key, key === "containerEnv" || key === "remoteEnv" ? withTextValues(member) : member]),
  );
  return isMetadataEntry(entry) ? { entry, wrong } : { entry: {}, wrong };
}

function isMetadataEntry(value: JsonObject): value is MetadataEntry {
  return v.safeParse(metadataEntrySchema, value).success;
}

function withTextValues(environment: JsonValue): JsonValue {
  if (!isJsonObject(environment)) return environment;
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value === null ? null : String(value)]),
  );
}

function nonEmpty(entry: MetadataEntry): MetadataEntry | undefined {
  return Object.keys(entry).length > 0 ? entry : undefined;
}

function pick(source: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]]])));
}
