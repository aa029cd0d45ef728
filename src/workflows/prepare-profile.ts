import { readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { createDockerignore } from "../dockerfile/dockerignore.ts";
import { withNamedStage } from "../dockerfile/named-stage.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { renderProfileDockerfile } from "../dockerfile/render-profile.ts";
import { messageOf, UserError } from "../errors.ts";
import { parseImageReference } from "../oci/reference.ts";
import { hashPlan } from "../plan/plan-hash.ts";
import { planImage } from "../plan/plan-image.ts";
import { BUILD_VARIANTS } from "../profile/build-variant.ts";
import { profileBaseImage } from "../profile/profile-base.ts";
import type { ProfileRequest } from "../profile/profile-request.ts";
import { parseRepoProfile, type RepoProfile } from "../profile/repo-profile.ts";
import { cacheDirectory } from "../store/directories.ts";
import { openFileDigests } from "../store/file-digests.ts";
import { digestContext } from "./digest-context.ts";
import { defaultPlatform } from "./look-up-images.ts";
import { openProfileEngine, type ProfileEngineWishes } from "./open-profile-engine.ts";
import { earlierBaseDigest } from "./profile-artifacts.ts";
import type { PlannedVariant, ProfileEngine, StoredImage } from "./profile-engine.ts";
import { type BaseFacts, scratchFacts } from "./resolve-base.ts";
import type { Tools } from "./tools.ts";

/** How `profile build` is asked for, beyond its request. */
export interface ProfileOptions extends ProfileEngineWishes {
  readonly baseImage: string | undefined;
  /** Whether an image of the right name is taken for the right image. */
  readonly trustTag: boolean;
}

/** A profile's image that is decided but not built. */
export interface PreparedProfile {
  readonly repository: string;
  readonly id: string;
  readonly profile: RepoProfile;
  readonly tag: string;
  readonly engine: ProfileEngine;
  /** The image that has the name already. */
  readonly image: StoredImage | undefined;
  readonly baseImage: string;
  readonly base: BaseFacts;
  /** What is not sent to the builder. */
  readonly ignore: string;
  /** In the order of `BUILD_VARIANTS`. */
  readonly variants: readonly PlannedVariant[];
}

/** A request's profile with its id, and the repository that it is of. */
export interface ReadProfile {
  readonly repository: string;
  readonly id: string;
  readonly profile: RepoProfile;
}

/** Last, so that nothing in the repository's own ignore file takes them back in. */
const NEVER_SENT = [".pf_manifest", ".tmp-test", ".git"];

/** Reads the profile that a request names; throws UserError for a folder or a profile that is not there or not valid. */
export function readRequestedProfile(
  request: Pick<ProfileRequest, "repo_dir" | "profile_path">,
  tools: Tools,
): ReadProfile {
  const repository = resolve(tools.workingDirectory, request.repo_dir);
  const path = resolve(tools.workingDirectory, request.profile_path);
  const found = statSync(repository, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    throw new UserError(
      `repo_dir ${repository} is not a folder: ${found === undefined ? "there is none" : "it is a file"}.`,
    );
  }
  const { id, computedId, profile } = parseRepoProfile(readProfileFile(path), path);
  if (id !== computedId) tools.log.warning(`${path}: profile_id is ${id}, but that of its profile is ${computedId}.`);
  return { repository, id, profile };
}

function readProfileFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new UserError(`Could not read the profile ${path}: ${missing ? "there is none" : messageOf(cause)}.`, {
      hint: "Check profile_path, or write a profile with `cooper profile detect`.",
      cause,
    });
  }
}

/** The name of a profile's image. */
export function profileTag(id: string): string {
  return `patchfoundry/${id}:latest`;
}

/** Decides what a profile's image is to be: reads the repository, the base and what the engine has. */
export async function prepareProfile(
  read: ReadProfile,
  options: ProfileOptions & { readonly archive: string },
  tools: Tools,
): Promise<PreparedProfile> {
  const { repository, id, profile } = read;
  if (profile.status === "unsupported") {
    throw new UserError(
      `The profile says that the repository is unsupported: ${profile.reason ?? "it gives no reason"}.`,
    );
  }
  const baseImage = profileBaseImage(profile, options.baseImage);
  parseImageReference(baseImage);
  const dockerfiles = BUILD_VARIANTS.map((variant) => ({
    variant,
    dockerfile: renderProfileDockerfile({ profile, baseImage, variant }),
  }));
  const tag = profileTag(id);
  const ignore = ignoreText(repository, archivePatterns(repository, options.archive));
  const digest = digestRepository(repository, ignore, tools);
  digest.catch(() => undefined);
  const { engine, images } = await openProfileEngine([baseImage, tag], options, tools);
  const base = await findBase(baseImage, { repository, engine }, tools);
  const contextDigest = await digest;
  return {
    repository,
    id,
    profile,
    tag,
    engine,
    image: images.get(tag),
    baseImage,
    base,
    ignore,
    variants: dockerfiles.map((rendered) => planVariant(rendered, { base, contextDigest })),
  };
}

function planVariant(
  { variant, dockerfile }: Pick<PlannedVariant, "variant" | "dockerfile">,
  { base, contextDigest }: { base: BaseFacts; contextDigest: string },
): PlannedVariant {
  const model = parseDockerfile(dockerfile.text, "Dockerfile");
  const [stage] = model.stages;
  if (stage === undefined) throw new TypeError("A profile's Dockerfile has one stage.");
  const { text, stageName } = withNamedStage(model, stage);
  const plan = planImage({
    source: {
      kind: "dockerfile",
      base: { reference: base.reference, digest: base.digest, platform: base.platform },
      text,
      stage: stageName,
      escapeWith: model.escapeCharacter,
      contextDigest,
      buildArgs: dockerfile.buildArgs,
      options: [],
      images: {},
    },
    platforms: [],
    // No step is told of users, so that an image need not be looked at to know whose it is.
    users: { image: "root", container: "root", remote: "root" },
    features: [],
    metadata: [],
    containerEnv: {},
    labels: {},
  });
  return { variant, dockerfile, plan, planHash: hashPlan(plan) };
}

/** The base as the engine or its registry has it; where neither answers, as an earlier build found it. */
async function findBase(
  reference: string,
  { repository, engine }: { repository: string; engine: ProfileEngine },
  tools: Tools,
): Promise<BaseFacts> {
  try {
    return await engine.findBase(reference);
  } catch (error) {
    const digest = earlierBaseDigest(repository, reference);
    if (!(error instanceof UserError) || digest === undefined) throw error;
    tools.log.warning(`${error.message} It is taken to be what it was at the last build.`);
    return { ...scratchFacts(defaultPlatform(tools)), reference, digest };
  }
}

/** What keeps an archive that lies in the repository, and those beside it, out of the image. */
function archivePatterns(repository: string, archive: string): readonly string[] {
  const path = relative(repository, archive);
  if (path.startsWith("../") || isAbsolute(path)) return [];
  const folder = dirname(path);
  const name = basename(path);
  return folder === "." ? [name, `.${name}.*.partial`] : [folder.replaceAll(/[*?[\]\\]/g, "\\$&")];
}

function ignoreText(repository: string, kept: readonly string[]): string {
  const path = join(repository, ".dockerignore");
  const own = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, "utf8") : "";
  // Podman takes a leading slash for a part of the name.
  const relativeLines = own.replaceAll(/^([ \t]*!?[ \t]*)\/+(?=\S)/gm, "$1");
  return `${relativeLines}${own === "" || own.endsWith("\n") ? "" : "\n"}${[...NEVER_SENT, ...kept].join("\n")}\n`;
}

async function digestRepository(repository: string, ignore: string, tools: Tools): Promise<string> {
  const known = await openFileDigests(cacheDirectory(tools), repository, Date.now);
  return digestContext(repository, { ...createDockerignore(ignore), countsLockfiles: true }, known);
}
