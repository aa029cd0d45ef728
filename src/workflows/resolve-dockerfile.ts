import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { copiedImages } from "../dockerfile/copied-images.ts";
import type { DockerfileBuild, DockerfileText } from "../dockerfile/dockerfile-build.ts";
import type { DockerfileModel } from "../dockerfile/dockerfile-model.ts";
import { withNamedStage } from "../dockerfile/named-stage.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { resolveBaseImage } from "../dockerfile/resolve-base-image.ts";
import { resolveUser } from "../dockerfile/resolve-user.ts";
import { type BuildQuery, platformArguments } from "../dockerfile/stage-variables.ts";
import { messageOf, UserError } from "../errors.ts";
import { formatPlatform, parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { Engine } from "../runtime/engine.ts";
import type { BuildRequest } from "./build-request.ts";
import { digestBuildContext } from "./digest-build-context.ts";
import {
  baseFactsOf,
  defaultPlatform,
  hostPlatform,
  isImage,
  type LookedUpImages,
  lookUpImages,
} from "./look-up-images.ts";
import { contextFacts, contextImages, contextLocations, digestNamedContexts } from "./named-contexts.ts";
import { createRemoteBaseReader } from "./read-remote-base.ts";
import type { BaseFacts } from "./resolve-base.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

/** A build of a Dockerfile, and where and for what it is asked. */
export interface DockerfileQuestion {
  readonly build: DockerfileBuild;
  /** The first platform asked for; undefined takes the engine's own. */
  readonly platform: string | undefined;
  /** The engine, where it is known already. */
  readonly engine?: Engine | undefined;
}

/** Reads a Dockerfile and looks up the images that it starts from, on the engine and in registries. */
export async function resolveDockerfile(
  request: BuildRequest,
  question: DockerfileQuestion,
  tools: Tools,
): Promise<ResolvedSource> {
  const { build, engine } = question;
  const model = readModel(build.dockerfile, request.omitSyntaxDirective);
  const query = buildQuery(question, tools);
  const resolved = resolveBaseImage(model, query);
  const ignore = dockerfileIgnore(build.dockerfile);
  const digest = digestBuildContext({ context: build.context, ignore, hint: build.contextHint }, tools);
  digest.catch(() => undefined);
  const isContext = (name: string) => Object.hasOwn(build.namedContexts, name);
  const others = otherImages(model, query, resolved.baseReference).filter((name) => !isContext(name));
  const wanted = isContext(resolved.baseReference) ? others : [resolved.baseReference, ...others];
  const looked = await lookUpImages([...wanted, ...contextImages(build.namedContexts)], { request, engine }, tools);
  const [base, contexts, ...otherFacts] = await Promise.all([
    factsOfBase(
      question,
      { reference: resolved.baseReference, platform: platformOf(resolved.basePlatform), looked },
      tools,
    ),
    digestNamedContexts(build.namedContexts, looked, tools),
    ...others.map((reference) => baseFactsOf({ reference, platform: undefined }, looked, tools).catch(() => undefined)),
  ]);
  const named = withNamedStage(model, resolved.stage);
  const images = others.map((reference, index) => [reference, otherFacts[index]?.digest ?? null] as const);
  return {
    ...looked,
    base,
    user: resolveUser(model, { ...query, baseEnv: base.env, baseUser: base.user }),
    files: {
      context: build.context,
      dockerfileIgnore: ignore,
      namedContexts: contextLocations(build.namedContexts),
    },
    frontend: { syntax: model.syntax?.image },
    pullable: request.noCache && (await canPullAll([base, ...otherFacts], tools)),
    cacheFrom: build.cacheFrom,
    plan: {
      kind: "dockerfile",
      base: { reference: base.reference, digest: base.digest, platform: base.platform },
      text: named.text,
      stage: named.stageName,
      escapeWith: model.escapeCharacter,
      contextDigest: await digest,
      buildArgs: build.buildArgs,
      options: build.options,
      images: { ...Object.fromEntries(images), ...contexts },
    },
  };
}

function buildQuery({ build, platform }: DockerfileQuestion, tools: Tools): BuildQuery {
  const target = parsePlatform(platform ?? defaultPlatform(tools));
  return {
    target: build.target,
    buildArgs: build.buildArgs,
    platformArguments: platformArguments({ build: parsePlatform(hostPlatform()), target }),
  };
}

function factsOfBase(
  question: DockerfileQuestion,
  base: { readonly reference: string; readonly platform: string | undefined; readonly looked: LookedUpImages },
  tools: Tools,
): Promise<BaseFacts> {
  const { reference, looked } = base;
  const platform = base.platform ?? question.platform;
  const context = Object.hasOwn(question.build.namedContexts, reference)
    ? question.build.namedContexts[reference]
    : undefined;
  if (context === undefined) return baseFactsOf({ reference, platform }, looked, tools);
  const targetPlatform = platform ?? defaultPlatform(tools);
  return contextFacts(context, { looked, platform, targetPlatform }, tools);
}

/** An engine cannot always tell an image that it pulled from one that was built there, which pulling would fail for. */
async function canPullAll(facts: readonly (BaseFacts | undefined)[], tools: Tools): Promise<boolean> {
  const readRemote = createRemoteBaseReader(tools);
  const images = facts.filter((fact) => fact === undefined || isImage(fact.reference));
  const found = images.map(async (fact) => {
    if (fact?.pulled !== true) return false;
    return readRemote(fact.reference, fact.platform).then(
      () => true,
      (error) => {
        tools.interruption.signal.throwIfAborted();
        tools.log.debug(`${fact.reference} is not pulled: ${messageOf(error)}`);
        return false;
      },
    );
  });
  return (await Promise.all(found)).every((pullable) => pullable);
}

/** Images that other stages start from or that files are copied from: what is in them may be in the result too. */
function otherImages(model: DockerfileModel, query: BuildQuery, base: string): string[] {
  const references = model.stages.flatMap((stage) => {
    try {
      return [resolveBaseImage(model, { ...query, target: String(stage.index) }).baseReference];
    } catch {
      // A stage that nothing builds may be broken.
      return [];
    }
  });
  const images = [...references, ...copiedImages(model).filter(isReference)];
  return [...new Set(images)].filter((reference) => isImage(reference) && reference !== base).sort();
}

/** What the builder will refuse is its to refuse. */
function isReference(text: string): boolean {
  try {
    parseImageReference(text);
    return true;
  } catch {
    return false;
  }
}

function platformOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : formatPlatform(parsePlatform(text));
}

function readModel(dockerfile: DockerfileText, omitSyntaxDirective: boolean): DockerfileModel {
  const model = parseText(dockerfile);
  if (!omitSyntaxDirective || model.syntax === undefined) return model;
  const { start, end } = model.syntax;
  return parseDockerfile(model.text.slice(0, start) + model.text.slice(end), model.file);
}

function parseText(dockerfile: DockerfileText): DockerfileModel {
  switch (dockerfile.kind) {
    case "file": {
      const text = readIfThere(dockerfile.path);
      if (text !== undefined) return parseDockerfile(text, basename(dockerfile.path));
      throw new UserError(`Dockerfile (${dockerfile.path}) not found.`, { hint: dockerfile.hint });
    }
    case "inline":
      return parseDockerfile(dockerfile.text, dockerfile.name);
  }
}

function dockerfileIgnore(dockerfile: DockerfileText): string | undefined {
  return dockerfile.kind === "file" ? readIfThere(`${dockerfile.path}.dockerignore`) : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
