import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { chooseAgentVersion } from "../agent/agent-version.ts";
import type { Agent, AgentVariant } from "../agent/agents.ts";
import { messageOf, UserError } from "../errors.ts";
import { type NpmPackage, openNpmTarball, readNpmPackage } from "../registry/npm-package.ts";
import { npmRegistryOf } from "../registry/npm-settings.ts";
import { retryTransient } from "../registry/retry.ts";
import { type AgentFile, type AgentFilePlace, findAgentFile, keepAgentFile } from "../store/agent-files.ts";
import { cacheDirectory } from "../store/directories.ts";
import { stagedPath } from "../store/staged-path.ts";
import { networkRetry, openFetch } from "./open-registry.ts";
import type { Tools } from "./tools.ts";

/** Which version of which build of an agent is wanted: `latest` or a version. */
export interface AgentQuestion {
  readonly agent: Agent;
  readonly variant: AgentVariant;
  readonly version: string;
}

const rememberedSchema = v.object({ version: v.string(), at: v.number() });
const DAY = 24 * 60 * 60 * 1000;

/**
 * The version that is meant: `latest` is asked for once a day, and where the registry does not answer, what it said last serves. Throws
 * UserError for a version that there is not, and when nothing is known and nothing answers.
 */
export async function resolveAgentVersion(
  question: AgentQuestion,
  tools: Tools,
  { fresh = false, remembers = true }: { readonly fresh?: boolean; readonly remembers?: boolean } = {},
): Promise<string> {
  const { agent, variant, version } = question;
  if (version !== "latest") return version;
  const path = join(agentsFolder(tools), "versions", `${agent.name}-${variant.id}.json`);
  const known = recall(path);
  if (!fresh && known !== undefined && Math.abs(Date.now() - known.at) < DAY) return known.version;
  try {
    const chosen = choose(question, await readPackage(variant, tools));
    if (remembers) remember(path, chosen);
    return chosen;
  } catch (error) {
    tools.interruption.signal.throwIfAborted();
    if (known === undefined || fresh || !(error instanceof UserError)) throw error;
    tools.log.warning(`${messageOf(error)} ${agent.title} ${known.version} was the latest before, and is taken.`);
    return known.version;
  }
}

/** The program of an agent's version on this machine, downloaded where it is not there yet. */
export async function obtainAgent(question: AgentQuestion, tools: Tools): Promise<AgentFile> {
  const { agent, variant, version } = question;
  const place: AgentFilePlace = { root: agentsFolder(tools), agent: agent.name, version, variant: variant.id };
  const known = findAgentFile(place);
  if (known !== undefined) return known;
  const published = await readPackage(variant, tools);
  const tarball = published.versions[`${choose(question, published)}${variant.versionSuffix}`];
  if (tarball === undefined) throw new TypeError("A chosen version is one of the package's.");
  const done = tools.log.start(`Download: ${agent.title} ${version} for ${variant.id}`);
  const what = `The package ${variant.package} ${version}`;
  const { integrity } = tarball;
  const kept = await retryTransient(async () => {
    const chunks = await openNpmTarball(tarball, npmPorts(variant, tools));
    return keepAgentFile(place, { chunks, integrity, program: variant.program, what });
  }, networkRetry(tools));
  done();
  return kept;
}

/** The versions that may be meant, without asking anybody: the wanted one, or what was the latest of any build of the program. */
export function likelyVersions(agent: Agent, version: string, tools: Tools): readonly string[] {
  if (version !== "latest") return [version];
  const paths = agent.variants.map(({ id }) => join(agentsFolder(tools), "versions", `${agent.name}-${id}.json`));
  return [...new Set(paths.flatMap((path) => recall(path)?.version ?? []))];
}

/** Where agents' programs and what is known of their versions are kept. */
export function agentsFolder(tools: Pick<Tools, "environment" | "homeDirectory">): string {
  return join(cacheDirectory(tools), "agents");
}

function choose({ agent, variant, version }: AgentQuestion, { latest, versions }: NpmPackage): string {
  return chooseAgentVersion(version, { agent, variant, known: { versions: Object.keys(versions), latest } });
}

function readPackage(variant: AgentVariant, tools: Tools): Promise<NpmPackage> {
  return readNpmPackage(variant.package, npmPorts(variant, tools));
}

function npmPorts(variant: AgentVariant, tools: Tools) {
  const { environment, homeDirectory } = tools;
  const rc = environment["npm_config_userconfig"] || join(homeDirectory, ".npmrc");
  const npmrc = existsSync(rc) ? readFileSync(rc, "utf8") : "";
  const registry = npmRegistryOf(variant.package, { environment, npmrc });
  return { registry, fetch: openFetch(tools), retry: networkRetry(tools) };
}

function recall(path: string): v.InferOutput<typeof rememberedSchema> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return v.parse(rememberedSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function remember(path: string, version: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  const staged = stagedPath(path);
  writeFileSync(staged, JSON.stringify({ version, at: Date.now() }));
  renameSync(staged, path);
}
