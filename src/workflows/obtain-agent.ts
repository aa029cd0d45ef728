import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { chooseAgentVersion } from "../agent/agent-version.ts";
import type { Agent, AgentVariant } from "../agent/agents.ts";
import { messageOf, UserError } from "../errors.ts";
import { createDownloadView, type DownloadView } from "../host/download-view.ts";
import { type NpmPackage, openNpmTarball, readNpmPackage } from "../registry/npm-package.ts";
import { npmRegistryOf } from "../registry/npm-settings.ts";
import type { ViewKind } from "../runtime/build-view.ts";
import { type AgentFiles, findAgentFiles, keepAgentFiles } from "../store/agent-files.ts";
import { cacheDirectory } from "../store/directories.ts";
import { stagedPath } from "../store/staged-path.ts";
import { sweepStaged } from "../store/sweep-staged.ts";
import { networkRetry, openFetch } from "./open-registry.ts";
import type { Tools } from "./tools.ts";

/** Which version of which build of an agent is wanted: `latest` or a version. */
export interface AgentQuestion {
  readonly agent: Agent;
  readonly variant: AgentVariant;
  readonly version: string;
}

const rememberedSchema = v.object({
  version: v.string(),
  at: v.number(),
  /** When the registry last did not answer. */
  failedAt: v.optional(v.number()),
});
type Remembered = v.InferOutput<typeof rememberedSchema>;
const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;
/** How long a registry that did not answer is left alone, when there is something to go on with. */
const AWAY = 15 * MINUTE;

/**
 * The version that is meant: `latest` is asked for once a day, and where the registry does not answer, what it said last serves, for
 * some minutes without asking again. Throws UserError for a version that there is not, and when nothing is known and nothing answers.
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
  const now = Date.now();
  if (!fresh && known !== undefined) {
    if (isWithin(known.at, now, DAY)) return known.version;
    if (known.failedAt !== undefined && isWithin(known.failedAt, now, AWAY)) {
      const minutes = Math.ceil(Math.abs(now - known.failedAt) / MINUTE);
      tools.log.warning(
        `${agent.title} ${known.version} is taken, which was the latest before: the registry did not answer ${minutes} min ago.`,
      );
      return known.version;
    }
  }
  try {
    const isPatient = fresh || known === undefined;
    const chosen = choose(question, await readPackage(variant, tools, { isPatient }));
    if (remembers) remember(path, { version: chosen, at: Date.now() });
    return chosen;
  } catch (error) {
    tools.interruption.signal.throwIfAborted();
    if (known === undefined || fresh || !(error instanceof UserError)) throw error;
    remember(path, { ...known, failedAt: Date.now() });
    tools.log.warning(`${messageOf(error)} ${agent.title} ${known.version} was the latest before, and is taken.`);
    return known.version;
  }
}

/** The program of an agent's version on this machine, with what it needs beside it; downloaded where it is not there yet. */
export async function obtainAgent(
  question: AgentQuestion,
  tools: Tools,
  { view = tools.terminal.messagesAreLive ? "live" : "plain" }: { readonly view?: ViewKind } = {},
): Promise<AgentFiles> {
  const { agent, variant, version } = question;
  const root = agentsFolder(tools);
  const place = { root, agent: agent.name, version, variant: variant.id, wanted: variant.files };
  const known = await findAgentFiles(place);
  if (known !== undefined) return known;
  sweepStaged(root, Date.now());
  const published = await readPackage(variant, tools);
  const tarball = published.versions[`${choose(question, published)}${variant.versionSuffix}`];
  if (tarball === undefined) throw new TypeError("A chosen version is one of the package's.");
  const { size, chunks } = await openNpmTarball(tarball, npmPorts(variant, tools));
  const title = `${agent.title} ${version} for ${variant.id}`;
  const shown = createDownloadView(tools, { title, size, live: view === "live", now: Date.now });
  try {
    const { integrity } = tarball;
    const what = `The package ${variant.package} ${version}`;
    const kept = await keepAgentFiles(place, { chunks: watched(chunks, shown), integrity, what });
    shown.done();
    return kept;
  } finally {
    shown.end();
  }
}

async function* watched(chunks: AsyncIterable<Uint8Array>, view: DownloadView): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    view.passed(chunk.length);
    yield chunk;
  }
}

/** Clocks are set back: what was in the future is no more recent than what was as long ago. */
function isWithin(then: number, now: number, span: number): boolean {
  return Math.abs(now - then) < span;
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

function readPackage(variant: AgentVariant, tools: Tools, patience = { isPatient: true }): Promise<NpmPackage> {
  return readNpmPackage(variant.package, npmPorts(variant, tools, patience));
}

/** Whoever has something to go on with waits for a few seconds at most: a start must not take long because a network is away. */
function npmPorts(variant: AgentVariant, tools: Tools, { isPatient } = { isPatient: true }) {
  const { environment, homeDirectory } = tools;
  const rc = environment["npm_config_userconfig"] || join(homeDirectory, ".npmrc");
  const npmrc = existsSync(rc) ? readFileSync(rc, "utf8") : "";
  const registry = npmRegistryOf(variant.package, { environment, npmrc });
  const retry = networkRetry(tools);
  return isPatient
    ? { registry, fetch: openFetch(tools), retry }
    : { registry, fetch: openFetch(tools, { answerTimeout: 5000 }), retry: { ...retry, attempts: 2 } };
}

function recall(path: string): Remembered | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return v.parse(rememberedSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function remember(path: string, remembered: Remembered): void {
  mkdirSync(dirname(path), { recursive: true });
  const staged = stagedPath(path);
  writeFileSync(staged, JSON.stringify(remembered));
  renameSync(staged, path);
}
