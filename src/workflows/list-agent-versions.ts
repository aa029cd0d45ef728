import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readAgentVersion } from "../agent/agent-version.ts";
import type { Agent, AgentVariant } from "../agent/agents.ts";
import { chooseVariant } from "../agent/choose-variant.ts";
import { versionKey } from "../agent/settings-table.ts";
import { compareVersions, parseVersion } from "../features/semantic-version.ts";
import { hasAgentFiles } from "../store/agent-files.ts";
import { plainBuildRequest } from "./build-request.ts";
import { loadAgentSettings } from "./load-agent-settings.ts";
import { agentsFolder, resolveAgentVersion } from "./obtain-agent.ts";
import { needsOfBase } from "./present-base.ts";
import type { Tools } from "./tools.ts";

/** What is known of an agent's versions. */
export interface AgentVersions {
  readonly agent: string;
  /** What the settings of this folder say, and where. */
  readonly wanted: string;
  readonly source: string;
  /** The newest that is published for the base of this folder's agents; null where nobody was asked. */
  readonly latest: string | null;
  /** Which build of the program that is. */
  readonly variant: string | null;
  /** On this machine, newest first. */
  readonly kept: readonly string[];
  /** Whether the latest is newer than what is wanted, or where that is the latest, than what is on this machine. */
  readonly newer: boolean;
}

/** The versions of agents that are wanted in this folder and kept on this machine; `asks` the registry what the latest is. */
export async function listAgentVersions(
  agents: readonly Agent[],
  { asks, remembers = true }: { readonly asks: boolean; readonly remembers?: boolean },
  tools: Tools,
): Promise<readonly AgentVersions[]> {
  const workspaceFolder = tools.workingDirectory;
  const { settings, sources } = loadAgentSettings(workspaceFolder, tools);
  const build = plainBuildRequest({ workspaceFolder, configPath: undefined });
  const needs = asks ? await needsOfBase({ build, settings }, tools) : undefined;
  return Promise.all(
    agents.map(async (agent) => {
      const key = versionKey(agent.name);
      const wanted = settings[key] ?? "latest";
      const kept = keptVersions(agent, tools);
      const variant = needs === undefined ? undefined : chooseVariant(agent, needs);
      const latest = variant === undefined ? null : await latestVersion({ agent, variant }, { remembers }, tools);
      const [newest] = kept;
      return {
        agent: agent.name,
        wanted,
        source: sources[key]?.join(", ") ?? "default",
        latest,
        variant: variant?.id ?? null,
        kept,
        newer: latest !== null && isNewer(latest, wanted === "latest" ? newest : readAgentVersion(wanted, key)),
      };
    }),
  );
}

function latestVersion(
  what: { readonly agent: Agent; readonly variant: AgentVariant },
  how: { readonly remembers: boolean },
  tools: Tools,
): Promise<string> {
  return resolveAgentVersion({ ...what, version: "latest" }, tools, { fresh: true, ...how });
}

/** Nothing is newer than what is not there: the next run takes the latest. */
function isNewer(latest: string, present: string | undefined): boolean {
  const [a, b] = [latest, present ?? latest].map(parseVersion);
  return a !== undefined && b !== undefined && compareVersions(a, b) > 0;
}

/** Those of which some variant was kept whole. */
function keptVersions(agent: Agent, tools: Tools): readonly string[] {
  const root = agentsFolder(tools);
  const folder = join(root, agent.name);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const kept = names.filter((version) =>
    agent.variants.some(({ id, files }) =>
      hasAgentFiles({ root, agent: agent.name, version, variant: id, wanted: files }),
    ),
  );
  const versions = kept.flatMap((name) => parseVersion(name) ?? []);
  return versions.toSorted((a, b) => compareVersions(b, a)).map(formatVersion);
}

function formatVersion({ major, minor, patch, prerelease }: NonNullable<ReturnType<typeof parseVersion>>): string {
  return `${major}.${minor}.${patch}${prerelease.length === 0 ? "" : `-${prerelease.join(".")}`}`;
}
