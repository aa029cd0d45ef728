import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../agent/agents.ts";
import { chooseVariant, hasAvx2 } from "../agent/choose-variant.ts";
import { versionKey } from "../agent/settings.ts";
import { compareVersions, parseVersion } from "../features/semantic-version.ts";
import { findAgentFile } from "../store/agent-files.ts";
import { loadAgentSettings } from "./load-agent-settings.ts";
import { agentsFolder, resolveAgentVersion } from "./obtain-agent.ts";
import type { Tools } from "./tools.ts";

/** What is known of an agent's versions. */
export interface AgentVersions {
  readonly agent: string;
  /** What the settings of this folder say, and where. */
  readonly wanted: string;
  readonly source: string;
  /** The newest that is published for this machine; null where nobody was asked. */
  readonly latest: string | null;
  /** On this machine, newest first. */
  readonly kept: readonly string[];
  /** Whether the latest is not among them. */
  readonly newer: boolean;
}

/** The versions of agents that are wanted in this folder and kept on this machine; `asks` the registry what the latest is. */
export async function listAgentVersions(
  agents: readonly Agent[],
  { asks, remembers = true }: { readonly asks: boolean; readonly remembers?: boolean },
  tools: Tools,
): Promise<readonly AgentVersions[]> {
  const { settings, sources } = loadAgentSettings(tools.workingDirectory, tools);
  return Promise.all(
    agents.map(async (agent) => {
      const key = versionKey(agent.name);
      const kept = keptVersions(agent, tools);
      const latest = asks ? await latestVersion(agent, { remembers }, tools) : null;
      const newer = latest !== null && !kept.includes(latest);
      return {
        agent: agent.name,
        wanted: settings[key] ?? "latest",
        source: sources[key].join(", "),
        latest,
        kept,
        newer,
      };
    }),
  );
}

/** Of the program for this machine with glibc, which most images have. */
function latestVersion(agent: Agent, how: { readonly remembers: boolean }, tools: Tools): Promise<string> {
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const cpuinfo = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const variant = chooseVariant(agent, { arch, libc: "glibc", avx2: hasAvx2(cpuinfo) });
  return resolveAgentVersion({ agent, variant, version: "latest" }, tools, { fresh: true, ...how });
}

/** Those of which some variant was kept whole. */
function keptVersions(agent: Agent, tools: Tools): readonly string[] {
  const root = agentsFolder(tools);
  const folder = join(root, agent.name);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const kept = names.filter((version) =>
    agent.variants.some(
      (variant) => findAgentFile({ root, agent: agent.name, version, variant: variant.id }) !== undefined,
    ),
  );
  const versions = kept.flatMap((name) => parseVersion(name) ?? []);
  return versions.toSorted((a, b) => compareVersions(b, a)).map(formatVersion);
}

function formatVersion({ major, minor, patch, prerelease }: NonNullable<ReturnType<typeof parseVersion>>): string {
  return `${major}.${minor}.${patch}${prerelease.length === 0 ? "" : `-${prerelease.join(".")}`}`;
}
