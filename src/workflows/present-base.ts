import { existsSync, readFileSync } from "node:fs";
import type { BaseFiles } from "../agent/base-files.ts";
import { hasAvx2, type ProgramNeeds } from "../agent/choose-variant.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { selectImage } from "../assembly/select-image.ts";
import { messageOf, UserError } from "../errors.ts";
import { isDigest } from "../oci/digest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { Engine } from "../runtime/engine.ts";
import { type AgentBase, hasDevContainer, resolveAgentBase } from "./agent-base.ts";
import { type BuildShow, realizeBuild } from "./build-image.ts";
import type { BuildRequest } from "./build-request.ts";
import { lookUpImages } from "./look-up-images.ts";
import { openImageSource } from "./open-image-source.ts";
import { pullIntoStore, silentTransfer } from "./pull-into-store.ts";
import { readImageBaseFiles } from "./read-base-files.ts";
import { type ImageQuestion, resolveImage } from "./resolve-image.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

/** An agent's base that is wanted. */
export interface BaseRequest {
  /** Its image names are looked up in the same breath as the base. */
  readonly build: BuildRequest;
  readonly settings: AgentSettings;
  /** Whether it is built again although nothing changed. */
  readonly rebuildBase: boolean;
}

/**
 * What a program needs to run on the base of a workspace's agents, as far as that base is there; this machine's needs, with glibc, where
 * it is the stock one, is not there or cannot be looked into.
 */
export async function needsOfBase(
  request: Pick<BaseRequest, "build" | "settings">,
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
    const { source } = await foundBase(await resolveAgentBase(build, settings, tools), request, tools);
    return source === undefined ? usual : await needsOf(source, tools);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tools.log.debug(`The base was not looked at: ${messageOf(error)}`);
    return usual;
  }
}

/** What a program needs to run on a base that is there, and what decides that. */
export async function needsOf(
  source: ResolvedSource,
  tools: Tools,
): Promise<ProgramNeeds & { readonly files: BaseFiles }> {
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
  const kind = engine.kind === "native" ? "store" : "registry";
  const source = await openImageSource({ kind, reference: kind === "store" ? named : pinned }, tools);
  try {
    const platform = parsePlatform(base.platform);
    const image = await selectImage(source, { platform, what: `The base image ${reference}` });
    return await readImageBaseFiles({ place: { kind: "source", source, image, digest }, reference, arch }, tools);
  } finally {
    await source.close();
  }
}

/** The base in the engine's store: built where it is not, or not as it is now; pulled where it can be. */
export async function presentBase(
  base: AgentBase,
  { request, show }: { readonly request: BaseRequest; readonly show: BuildShow },
  tools: Tools,
): Promise<ResolvedSource> {
  if (base.kind === "build") {
    if (base.prepared.engine.kind === "none") throw unbuiltBase();
    const prepared = request.rebuildBase ? { ...base.prepared, upToDate: false } : base.prepared;
    if (!prepared.upToDate) await realizeBuild({ prepared, show }, tools);
    return sourceOf(request, { reference: prepared.tags[0] ?? "", engine: prepared.engine }, tools);
  }
  const found = await foundBase(base, request, tools);
  if (found.source !== undefined) return found.source;
  await pullBase(base.name, found.engine, tools);
  return sourceOf(request, { reference: base.name, engine: found.engine }, tools);
}

/** The base in the engine's store, if it is there as it is now; without an engine, as its registry has it. */
export async function foundBase(
  base: AgentBase,
  request: Pick<BaseRequest, "build">,
  tools: Tools,
): Promise<{ readonly engine: Engine; readonly source: ResolvedSource | undefined }> {
  if (base.kind === "build") {
    const { upToDate, tags, engine } = base.prepared;
    return {
      engine,
      source: upToDate ? await sourceOf(request, { reference: tags[0] ?? "", engine }, tools) : undefined,
    };
  }
  const looked = await lookUpImages([base.name], { request: request.build }, tools);
  const { engine, images } = looked;
  const question = { reference: base.name, engine, looked };
  const isThere = engine.kind === "none" || images.has(base.name);
  return { engine, source: isThere ? await sourceOf(request, question, tools) : undefined };
}

function sourceOf(
  request: Pick<BaseRequest, "build">,
  question: Omit<ImageQuestion, "platform">,
  tools: Tools,
): Promise<ResolvedSource> {
  return resolveImage(request.build, { ...question, platform: undefined }, tools);
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

function unbuiltBase(): UserError {
  return new UserError(
    "--backend assemble puts an agent on an image that a registry has, and this base has to be built first.",
    { hint: "Name an image with custom_base_image, or use --backend native or engine." },
  );
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
