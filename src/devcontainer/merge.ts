import type { JsonObject, JsonValue } from "../json.ts";
import { mergeHostRequirements } from "./merge-host-requirements.ts";
import type { MetadataEntry } from "./metadata-label.ts";
import type { HostRequirements, LifecycleCommand, Mount, PortAttributes } from "./schema.ts";

/** What all origins together say about a container; hooks in the order in which they run. */
export type MergedMetadata = {
  readonly init: boolean;
  readonly privileged: boolean;
  readonly capAdd: string[] | undefined;
  readonly securityOpt: string[] | undefined;
  readonly entrypoints: string[] | undefined;
  readonly mounts: Mount[] | undefined;
  /** For each tool, what every origin says to it. */
  readonly customizations: JsonObject | undefined;
  readonly onCreateCommands: LifecycleCommand[];
  readonly updateContentCommands: LifecycleCommand[];
  readonly postCreateCommands: LifecycleCommand[];
  readonly postStartCommands: LifecycleCommand[];
  readonly postAttachCommands: LifecycleCommand[];
  readonly waitFor: MetadataEntry["waitFor"];
  readonly remoteUser: string | undefined;
  readonly containerUser: string | undefined;
  readonly userEnvProbe: MetadataEntry["userEnvProbe"];
  readonly remoteEnv: Record<string, string | null>;
  readonly containerEnv: Record<string, string>;
  readonly overrideCommand: boolean | undefined;
  readonly portsAttributes: Record<string, PortAttributes>;
  readonly otherPortsAttributes: PortAttributes | undefined;
  readonly forwardPorts: (number | string)[] | undefined;
  readonly shutdownAction: MetadataEntry["shutdownAction"];
  readonly updateRemoteUserUID: boolean | undefined;
  readonly hostRequirements: HostRequirements | undefined;
};

/** Merges entries in the order base image, Features, devcontainer.json; what each property does is in its own line. */
export function mergeMetadata(entries: readonly MetadataEntry[]): MergedMetadata {
  return {
    init: entries.some((entry) => entry.init === true),
    privileged: entries.some((entry) => entry.privileged === true),
    capAdd: unlessEmpty([...new Set(entries.flatMap((entry) => entry.capAdd ?? []))]),
    securityOpt: unlessEmpty([...new Set(entries.flatMap((entry) => entry.securityOpt ?? []))]),
    entrypoints: unlessEmpty(collect(entries, (entry) => entry.entrypoint)),
    mounts: unlessEmpty(mergeMounts(entries.flatMap((entry) => entry.mounts ?? []))),
    customizations: mergeCustomizations(entries),
    onCreateCommands: collect(entries, (entry) => entry.onCreateCommand),
    updateContentCommands: collect(entries, (entry) => entry.updateContentCommand),
    postCreateCommands: collect(entries, (entry) => entry.postCreateCommand),
    postStartCommands: collect(entries, (entry) => entry.postStartCommand),
    postAttachCommands: collect(entries, (entry) => entry.postAttachCommand),
    waitFor: last(entries, (entry) => entry.waitFor),
    remoteUser: remoteUserOf(entries),
    containerUser: containerUserOf(entries),
    userEnvProbe: last(entries, (entry) => entry.userEnvProbe),
    remoteEnv: Object.fromEntries(entries.flatMap((entry) => Object.entries(entry.remoteEnv ?? {}))),
    containerEnv: Object.fromEntries(entries.flatMap((entry) => Object.entries(entry.containerEnv ?? {}))),
    overrideCommand: entries.findLast((entry) => entry.overrideCommand !== undefined)?.overrideCommand,
    portsAttributes: Object.fromEntries(entries.flatMap((entry) => Object.entries(entry.portsAttributes ?? {}))),
    otherPortsAttributes: last(entries, (entry) => entry.otherPortsAttributes),
    forwardPorts: unlessEmpty([...new Set(entries.flatMap((entry) => entry.forwardPorts ?? []).map(normalizePort))]),
    shutdownAction: last(entries, (entry) => entry.shutdownAction),
    updateRemoteUserUID: entries.findLast((entry) => entry.updateRemoteUserUID !== undefined)?.updateRemoteUserUID,
    hostRequirements: mergeHostRequirements(collect(entries, (entry) => entry.hostRequirements)),
  };
}

/** The configuration as `read-configuration` reports it: its own keys, and in place of the merged ones the merged result. */
export function mergedConfiguration(config: JsonObject, merged: MergedMetadata): JsonObject {
  const members = new Map(Object.entries(config).filter(([key]) => !replaced.includes(key)));
  for (const [key, value] of Object.entries(merged)) {
    if (value === undefined) members.delete(key);
    else members.set(key, value);
  }
  return Object.fromEntries(members);
}

/** The user that the last origin to name one wants tools to run as. */
export function remoteUserOf(entries: readonly MetadataEntry[]): string | undefined {
  return last(entries, (entry) => entry.remoteUser);
}

/** The user that the last origin to name one wants the container to run as. */
export function containerUserOf(entries: readonly MetadataEntry[]): string | undefined {
  return last(entries, (entry) => entry.containerUser);
}

const replaced = [
  "customizations",
  "entrypoint",
  "onCreateCommand",
  "updateContentCommand",
  "postCreateCommand",
  "postStartCommand",
  "postAttachCommand",
  "shutdownAction",
];

/** Empty strings count as not given. */
function last<Value>(
  entries: readonly MetadataEntry[],
  select: (entry: MetadataEntry) => Value | undefined,
): Value | undefined {
  return entries.map(select).findLast((value) => Boolean(value));
}

function collect<Value>(
  entries: readonly MetadataEntry[],
  select: (entry: MetadataEntry) => Value | undefined,
): Value[] {
  return entries.map(select).flatMap((value) => (value ? [value] : []));
}

function unlessEmpty<Value>(values: Value[]): Value[] | undefined {
  return values.length === 0 ? undefined : values;
}

/** Of mounts with one target the last stays, in its place. */
function mergeMounts(mounts: readonly Mount[]): Mount[] {
  const targets = mounts.map(mountTarget);
  return mounts.filter((_, index) => targets[index] === undefined || targets.lastIndexOf(targets[index]) === index);
}

function mountTarget(mount: Mount): string | undefined {
  if (typeof mount !== "string") return mount.target;
  const fields = mount.split(",").map((field) => field.split("="));
  return fields.find(([key]) => key === "target" || key === "dst" || key === "destination")?.[1];
}

function mergeCustomizations(entries: readonly MetadataEntry[]): JsonObject | undefined {
  const byTool = new Map<string, JsonValue[]>();
  for (const entry of entries) {
    for (const [tool, value] of Object.entries(entry.customizations ?? {})) {
      byTool.set(tool, [...(byTool.get(tool) ?? []), value]);
    }
  }
  return byTool.size === 0 ? undefined : Object.fromEntries(byTool);
}

function normalizePort(port: number | string): number | string {
  const local = typeof port === "string" ? /^localhost:(\d+)$/.exec(port)?.[1] : undefined;
  return local === undefined ? port : Number(local);
}
