import { existsSync, readFileSync } from "node:fs";
import { type AgentUser, decideAgentUser } from "../agent/agent-user.ts";
import { readAgentVersion } from "../agent/agent-version.ts";
import type { Agent, AgentVariant } from "../agent/agents.ts";
import type { BaseFiles } from "../agent/base-files.ts";
import { chooseVariant, hasAvx2, type ProgramNeeds } from "../agent/choose-variant.ts";
import { AGENT_BASE_LABEL, agentImageName, distinctImageName } from "../agent/image-name.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { versionKey } from "../agent/settings-table.ts";
import { selectImage } from "../assembly/select-image.ts";
import { messageOf, UserError } from "../errors.ts";
import { isDigest } from "../oci/digest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { ImageTransport } from "../oci/transport.ts";
import { AGENT_FILES, planAgentImage } from "../plan/plan-agent-image.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import { type AgentBase, hasDevContainer, resolveAgentBase } from "./agent-base.ts";
import type { BuildShow } from "./build-image.ts";
import { realizeBuild } from "./build-image.ts";
import type { BuildRequest } from "./build-request.ts";
import { lookUpImages } from "./look-up-images.ts";
import { obtainAgent, resolveAgentVersion } from "./obtain-agent.ts";
import { openImageSource } from "./open-image-source.ts";
import { plannedBuild } from "./planned-build.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import { pullIntoStore, silentTransfer } from "./pull-into-store.ts";
import { readImageBaseFiles } from "./read-base-files.ts";
import { resolveImage } from "./resolve-image.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

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
  const base = await resolveAgentBase(plainOf(request), request.settings, tools);
  return decideOnBase(request, { base, source: await presentBase(base, { request, show }, tools) }, tools);
}

/** What an agent's image will be: unknown as long as a base that has to be built is not. */
export interface ForeseenAgentImage {
  /** What is built first: a base that is not there, not as it is now, or that is to be built again. */
  readonly base: PreparedBuild | undefined;
  readonly image: PreparedAgentImage | undefined;
}

/** Decides an agent's image as far as it can be decided without building. Throws UserError for a base that would have to be pulled. */
export async function foreseeAgentImage(request: AgentImageRequest, tools: Tools): Promise<ForeseenAgentImage> {
  const base = await resolveAgentBase(plainOf(request), request.settings, tools);
  if (base.kind === "build" && !base.prepared.upToDate) return { base: base.prepared, image: undefined };
  const source = await foundBase(base, request, tools);
  if (source === undefined) {
    throw new UserError(`The base image ${base.name} is not in the engine: it would be pulled first.`, {
      hint: "Its users and its C library decide the rest. Pull it, and ask again.",
    });
  }
  const again = base.kind === "build" && request.rebuildBase ? base.prepared : undefined;
  return { base: again, image: await decideOnBase(request, { base, source }, tools) };
}

/** Gets the agent's program and plans its image on a base that is there. */
async function decideOnBase(
  request: AgentImageRequest,
  { base, source }: { readonly base: AgentBase; readonly source: ResolvedSource },
  tools: Tools,
): Promise<PreparedAgentImage> {
  const { agent, settings, build } = request;
  const { files, ...needs } = await needsOf(source, tools);
  const variant = chooseVariant(agent, needs);
  const version = await resolveAgentVersion({ agent, variant, version: wantedVersion(agent, settings) }, tools);
  const file = await obtainAgent({ agent, variant, version }, tools);
  const user = decideAgentUser(wantedUser(settings, tools), files);
  const plan = planAgentImage({
    base: { reference: source.base.reference, digest: source.base.digest, platform: source.base.platform },
    baseName: base.name ?? "",
    agent: { name: agent.name, version, variant: variant.id, files: [file] },
    user,
    packages: missingPackages(variant, { files, name: source.base.reference }),
  });
  const { name, known } = await nameImage(agent, { base, version, source });
  const decided = plannedBuild(plan, {
    request: { ...build, imageNames: [name] },
    source,
    tags: [name, ...build.imageNames],
    image: known,
    copyFolders: { [AGENT_FILES]: file.folder },
  });
  const prepared = request.force ? { ...decided, upToDate: false } : decided;
  return { prepared, agent, version, variant, user };
}

/**
 * What a program needs to run on the base of a workspace's agents, as far as that base is there; this machine's needs, with glibc, where
 * it is the stock one, is not there or cannot be looked into.
 */
export async function needsOfBase(
  request: Pick<AgentImageRequest, "build" | "settings">,
  tools: Tools,
): Promise<ProgramNeeds> {
  const { build, settings } = request;
  const usual = {
    arch: process.arch === "arm64" ? "arm64" : "x64",
    libc: "glibc",
    avx2: hasAvx2(readCpuInfo()),
  } as const;
  const hasOwn = settings.custom_base_image ?? settings.custom_base_dockerfile ?? hasDevContainer(build);
  if (hasOwn === false) return usual;
  try {
    const source = await foundBase(await resolveAgentBase(plainOf(request), settings, tools), request, tools);
    return source === undefined ? usual : await needsOf(source, tools);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tools.log.debug(`The base was not looked at: ${messageOf(error)}`);
    return usual;
  }
}

/** What a program needs to run on a base that is there, and what decides that. */
async function needsOf(source: ResolvedSource, tools: Tools): Promise<ProgramNeeds & { readonly files: BaseFiles }> {
  const arch = archOf(source.base.platform);
  const files = await filesOfBase(source, arch, tools);
  return { arch, libc: files.libc, avx2: hasAvx2(readCpuInfo()), files };
}

async function filesOfBase(
  { engine, base, images }: ResolvedSource,
  arch: ProgramNeeds["arch"],
  tools: Tools,
): Promise<BaseFiles> {
  const { reference, digest } = base;
  if (engine.kind === "client") {
    const image = images.get(reference);
    if (image === undefined) throw new TypeError("The base is there by now.");
    return readImageBaseFiles({ place: { kind: "engine", engine, image }, reference, arch }, tools);
  }
  const named = parseImageReference(reference);
  const pinned = isDigest(digest) && base.pulled ? { ...named, digest } : named;
  const transport: ImageTransport =
    engine.kind === "native" ? { kind: "store", reference: named } : { kind: "registry", reference: pinned };
  const source = await openImageSource(transport, tools);
  try {
    const platform = parsePlatform(base.platform);
    const image = await selectImage(source, { platform, what: `The base image ${reference}` });
    return await readImageBaseFiles({ place: { kind: "source", source, image, digest }, reference, arch }, tools);
  } finally {
    await source.close();
  }
}

/** The base in the engine's store: built where it is not, or not as it is now; pulled where it can be. */
async function presentBase(
  base: AgentBase,
  { request, show }: { readonly request: AgentImageRequest; readonly show: BuildShow },
  tools: Tools,
): Promise<ResolvedSource> {
  if (base.kind === "build") {
    if (base.prepared.engine.kind === "none") {
      throw new UserError(
        "--backend assemble puts an agent on an image that a registry has, and this base has to be built first.",
        {
          hint: "Name an image with custom_base_image, or use --backend native or engine.",
        },
      );
    }
    const prepared = request.rebuildBase ? { ...base.prepared, upToDate: false } : base.prepared;
    if (!prepared.upToDate) await realizeBuild({ prepared, show }, tools);
    return sourceOf(request, { reference: prepared.tags[0] ?? "", engine: prepared.engine }, tools);
  }
  const { engine, images } = await lookUpImages([base.name], { request: plainOf(request) }, tools);
  if (!images.has(base.name)) await pullBase(base.name, engine, tools);
  return sourceOf(request, { reference: base.name, engine }, tools);
}

/** The base in the engine's store, if it is there as it is now. */
async function foundBase(
  base: AgentBase,
  request: Pick<AgentImageRequest, "build">,
  tools: Tools,
): Promise<ResolvedSource | undefined> {
  if (base.kind === "build") {
    const { upToDate, tags, engine } = base.prepared;
    return upToDate ? sourceOf(request, { reference: tags[0] ?? "", engine }, tools) : undefined;
  }
  const { engine, images } = await lookUpImages([base.name], { request: plainOf(request) }, tools);
  return images.has(base.name) ? sourceOf(request, { reference: base.name, engine }, tools) : undefined;
}

function sourceOf(
  request: Pick<AgentImageRequest, "build">,
  { reference, engine }: { readonly reference: string; readonly engine: Engine },
  tools: Tools,
): Promise<ResolvedSource> {
  return resolveImage(plainOf(request), { reference, platform: undefined, engine }, tools);
}

/** What is asked for beyond the base's build is for the agent's image: its names, and where it goes. */
function plainOf({ build }: Pick<AgentImageRequest, "build">): BuildRequest {
  return { ...build, imageNames: [], push: false, output: undefined, load: false };
}

async function pullBase(name: string, engine: Engine, tools: Tools): Promise<void> {
  try {
    await pullInto(engine, name, tools);
  } catch (cause) {
    tools.interruption.signal.throwIfAborted();
    throw new UserError(
      `custom_base_image ${name} is not there and cannot be pulled, and no custom_base_dockerfile says how to build it: ${messageOf(cause)}`,
      { hint: "Build or pull it first, or set custom_base_dockerfile.", cause },
    );
  }
}

async function pullInto(engine: Engine, name: string, tools: Tools): Promise<void> {
  switch (engine.kind) {
    case "client": {
      const pull = { file: engine.path, args: ["pull", name], env: {} };
      return engine.run(pull, { onOutput: (text) => tools.log.raw(text) });
    }
    case "native":
      return pullIntoStore(parseImageReference(name), { platform: undefined, observer: silentTransfer }, tools);
    case "none":
      // It stays in its registry.
      return;
  }
}

/** The image's name, told apart from that of another base; and what the engine has under it. */
async function nameImage(
  agent: Agent,
  { base, version, source }: { readonly base: AgentBase; readonly version: string; readonly source: ResolvedSource },
): Promise<{ name: string; known: LocalImage | undefined }> {
  const usual = agentImageName(agent.name, { base: base.name, version });
  const distinct = distinctImageName(usual, base.name ?? "");
  const images = await source.engine.inspectImages([usual, distinct]);
  const other = images.get(usual)?.labels[AGENT_BASE_LABEL];
  const name = other === undefined || other === (base.name ?? "") ? usual : distinct;
  return { name, known: images.get(name) };
}

function wantedVersion(agent: Agent, settings: AgentSettings): string {
  const key = versionKey(agent.name);
  return readAgentVersion(settings[key] ?? "latest", key);
}

function wantedUser(settings: AgentSettings, tools: Tools) {
  return {
    name: settings.username ?? (tools.environment["USER"] || "user"),
    uid: settings.uid ?? process.getuid?.() ?? 1000,
    gid: settings.gid ?? process.getgid?.() ?? 1000,
  };
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

function archOf(platform: string): "x64" | "arm64" {
  const arch = platform.split("/")[1];
  if (arch === "amd64") return "x64";
  if (arch === "arm64") return "arm64";
  throw new UserError(`Agents have programs for amd64 and arm64, and the base image is for ${platform}.`);
}

function readCpuInfo(): string {
  return existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
}
