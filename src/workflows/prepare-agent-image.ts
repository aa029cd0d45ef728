import { type AgentUser, decideAgentUser, ownUser, type WantedUser } from "../agent/agent-user.ts";
import { readAgentVersion } from "../agent/agent-version.ts";
import type { Agent, AgentVariant } from "../agent/agents.ts";
import type { BaseFiles } from "../agent/base-files.ts";
import { chooseVariant } from "../agent/choose-variant.ts";
import { AGENT_BASE_LABEL, agentImageName, distinctImageName } from "../agent/image-name.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { versionKey } from "../agent/settings-table.ts";
import { UserError } from "../errors.ts";
import { AGENT_FILES, planAgentImage } from "../plan/plan-agent-image.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { AgentFile } from "../store/agent-files.ts";
import { type AgentBase, resolveAgentBase } from "./agent-base.ts";
import type { BuildShow } from "./build-image.ts";
import { realizeBuild } from "./build-image.ts";
import type { BuildRequest } from "./build-request.ts";
import { likelyVersions, obtainAgent, resolveAgentVersion } from "./obtain-agent.ts";
import { plannedBuild } from "./planned-build.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import { foundBase, needsOf, presentBase } from "./present-base.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";
import { thisCaller, wantedUser } from "./wanted-user.ts";

/** An agent's image that is wanted. */
export interface AgentImageRequest {
  readonly build: BuildRequest;
  readonly agent: Agent;
  readonly settings: AgentSettings;
  /** Whether the base is built again although nothing changed. */
  readonly rebuildBase: boolean;
  /** Whether the image is built again although nothing changed. */
  readonly force: boolean;
}

/** An agent's image that is decided but not built; its base is there. */
export interface PreparedAgentImage {
  readonly prepared: PreparedBuild;
  readonly agent: Agent;
  readonly version: string;
  readonly variant: AgentVariant;
  readonly user: AgentUser;
}

/** Builds an agent's image, unless the engine has it as it would be built. */
export async function buildAgentImage(
  request: AgentImageRequest,
  show: BuildShow,
  tools: Tools,
): Promise<PreparedAgentImage> {
  const decided = await prepareAgentImage(request, show, tools);
  await realizeBuild({ prepared: decided.prepared, show }, tools);
  return decided;
}

/** Sees to the base, gets the agent's program, and plans the image of both. */
export async function prepareAgentImage(
  request: AgentImageRequest,
  show: BuildShow,
  tools: Tools,
): Promise<PreparedAgentImage> {
  const base = await resolveAgentBase(request.build, request.settings, tools);
  return decideOnBase(
    request,
    { base, source: await presentBase(base, { request: withLikelyNames(request, base, tools), show }, tools), show },
    tools,
  );
}

/** What an agent's image will be: unknown as long as a base that has to be built is not. */
export interface ForeseenAgentImage {
  /** What is built first: a base that is not there, not as it is now, or that is to be built again. */
  readonly base: PreparedBuild | undefined;
  readonly image: PreparedAgentImage | undefined;
}

/** Decides an agent's image as far as it can be decided without building. Throws UserError for a base that would have to be pulled. */
export async function foreseeAgentImage(request: AgentImageRequest, tools: Tools): Promise<ForeseenAgentImage> {
  const base = await resolveAgentBase(request.build, request.settings, tools);
  if (base.kind === "build" && !base.prepared.upToDate) return { base: base.prepared, image: undefined };
  const { source, engine } = await foundBase(base, withLikelyNames(request, base, tools), tools);
  if (source === undefined) throw absentBase(base.name ?? "", engine.kind);
  const again = base.kind === "build" && request.rebuildBase ? base.prepared : undefined;
  return { base: again, image: await decideOnBase(request, { base, source, show: undefined }, tools) };
}

function absentBase(name: string, kind: Engine["kind"]): UserError {
  const isStore = kind === "native";
  const where = isStore ? "cooper's store" : "the engine";
  const pull = isStore ? `Get it with cooper image pull ${name} store:${name}` : "Pull it";
  return new UserError(`The base image ${name} is not in ${where}: it would be pulled first.`, {
    hint: `Its users and its C library decide the rest. ${pull}, and ask again.`,
  });
}

/** Gets the agent's program and plans its image on a base that is there. */
async function decideOnBase(
  request: AgentImageRequest,
  {
    base,
    source,
    show,
  }: { readonly base: AgentBase; readonly source: ResolvedSource; readonly show: BuildShow | undefined },
  tools: Tools,
): Promise<PreparedAgentImage> {
  const { agent, settings, build } = request;
  const { files: baseFiles, ...needs } = await needsOf(source, tools);
  const variant = chooseVariant(agent, needs);
  const version = await resolveAgentVersion({ agent, variant, version: wantedVersion(agent, settings) }, tools);
  const { folder, files } = await obtainAgent({ agent, variant, version }, tools, show);
  const wanted = await wantedUser(settings, { source, caller: thisCaller() }, tools);
  const user = agentUserOn(source, { wanted, files: baseFiles }, tools);
  const plan = planAgentImage({
    base: { reference: source.base.reference, digest: source.base.digest, platform: source.base.platform },
    baseName: base.name ?? "",
    agent: { name: agent.name, version, variant: variant.id, files: placedFiles(variant, files) },
    user,
    packages: missingPackages(variant, { files: baseFiles, name: source.base.reference }),
  });
  const { name, known } = await nameImage(agent, { base, version, source });
  const decided = plannedBuild(plan, {
    request: { ...build, imageNames: [name] },
    source,
    tags: [name, ...build.imageNames],
    image: known,
    copyFolders: { [AGENT_FILES]: folder },
  });
  const upToDate = !request.force && decided.upToDate && (await areNamesOf(decided.planHash, build, source.engine));
  const prepared = { ...decided, upToDate };
  return { prepared, agent, version, variant, user };
}

/** Whether the further names that are asked for are an image's that was built from this plan. */
async function areNamesOf(planHash: string, { imageNames }: BuildRequest, engine: Engine): Promise<boolean> {
  if (imageNames.length === 0) return true;
  const images = await engine.inspectImages(imageNames);
  return imageNames.every((name) => images.get(name)?.labels[PLAN_LABEL] === planHash);
}

/** Asks for the image that will most likely be meant together with its base: a question less to the engine at every start. */
function withLikelyNames(request: AgentImageRequest, base: AgentBase, tools: Tools): AgentImageRequest {
  const { agent, settings, build } = request;
  const imageNames = likelyVersions(agent, wantedVersion(agent, settings), tools).flatMap((version) => {
    const usual = agentImageName(agent.name, { base: base.name, version });
    return [usual, distinctImageName(usual, base.name ?? "")];
  });
  return { ...request, build: { ...build, imageNames } };
}

/** The image's name, told apart from that of another base; and what the engine has under it. */
async function nameImage(
  agent: Agent,
  { base, version, source }: { readonly base: AgentBase; readonly version: string; readonly source: ResolvedSource },
): Promise<{ name: string; known: LocalImage | undefined }> {
  const usual = agentImageName(agent.name, { base: base.name, version });
  const distinct = distinctImageName(usual, base.name ?? "");
  const wasAsked = source.images.has(usual) || source.images.has(distinct);
  const images = wasAsked ? source.images : await source.engine.inspectImages([usual, distinct]);
  const other = images.get(usual)?.labels[AGENT_BASE_LABEL];
  const name = other === undefined || other === (base.name ?? "") ? usual : distinct;
  return { name, known: images.get(name) };
}

function wantedVersion(agent: Agent, settings: AgentSettings): string {
  const key = versionKey(agent.name);
  return readAgentVersion(settings[key] ?? "latest", key);
}

/** The wanted user, or where the base makes that impossible, the base's own. */
function agentUserOn(
  { base }: ResolvedSource,
  { wanted, files }: { readonly wanted: WantedUser; readonly files: BaseFiles },
  tools: Tools,
): AgentUser {
  const decided = decideAgentUser(wanted, files);
  if (decided !== undefined) return decided;
  const own = ownUser(base.user, files);
  tools.log.warning(
    `The base image ${base.reference} has an /etc/passwd to which no user can be added: the agent works as its own user, ${own.name} (${own.uid}:${own.gid}), to whom the files belong that it makes.`,
  );
  return own;
}

/** Where the files that a package had go in the image. */
function placedFiles(variant: AgentVariant, files: readonly AgentFile[]) {
  return variant.files.flatMap(({ name, to, mode }) => {
    const file = files.find((known) => known.name === name);
    return file === undefined ? [] : [{ name, digest: file.digest, to, mode }];
  });
}

function missingPackages(
  variant: AgentVariant,
  { files, name }: { readonly files: BaseFiles; readonly name: string },
): readonly string[] {
  if (!variant.needsCxx || files.hasCxxLibraries) return [];
  if (files.hasApk) return ["libgcc", "libstdc++"];
  throw new UserError(`The base image ${name} lacks libstdc++ and libgcc_s, which the agent's program needs there.`, {
    hint: "Add them to the base image; on Alpine: apk add libstdc++ libgcc.",
  });
}
