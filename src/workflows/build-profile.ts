import { join } from "node:path";
import { Interrupted, messageOf, UserError } from "../errors.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import {
  BUILD_VARIANTS,
  mayBeUnauthenticated,
  nextVariant,
  STANDARD_VARIANT,
  variantFile,
} from "../profile/build-variant.ts";
import type { ProfileRequest, ProfileResponse } from "../profile/profile-request.ts";
import { classifyBuildFailure, MISSING_INSTALL } from "../profile/unsupported-registry.ts";
import type { ViewKind } from "../runtime/build-view.ts";
import { claimStaged, sweepUnclaimed } from "../store/staged-claim.ts";
import { type PreparedProfile, type ProfileOptions, prepareProfile, readRequestedProfile } from "./prepare-profile.ts";
import {
  ARTIFACTS_FOLDER,
  makeOwnFolder,
  openStaged,
  type StagedText,
  writeArtifact,
  writeManifest,
} from "./profile-artifacts.ts";
import { cacheArchive, loadCachedImage, saveCachedImage, stageArchive } from "./profile-cache.ts";
import type { BuildAttempt, PlannedVariant, StoredImage } from "./profile-engine.ts";
import { registerUnsupported } from "./register-unsupported.ts";
import type { Tools } from "./tools.ts";

/** A request for a profile's image, and how it is built and shown. */
export interface ProfileBuild {
  readonly request: ProfileRequest;
  readonly options: ProfileOptions;
  readonly view: ViewKind;
}

const LOG = "build.log";

interface Work extends ProfileBuild {
  readonly prepared: PreparedProfile;
  readonly archive: string;
  readonly folder: string;
  readonly logPath: string;
}

/** Builds a profile's image, unless the engine or the cache has it as it would be built. */
export async function buildProfile(build: ProfileBuild, tools: Tools): Promise<ProfileResponse> {
  const read = readRequestedProfile(build.request, tools);
  if (read.profile.status === "unsupported") registerUnsupported(read, MISSING_INSTALL, tools);
  const archive = cacheArchive(build.request, read, tools);
  const prepared = await prepareProfile(read, { ...build.options, archive }, tools);
  const folder = makeOwnFolder(read.repository, ARTIFACTS_FOLDER);
  for (const { variant, dockerfile } of prepared.variants) {
    writeArtifact(join(folder, variantFile(variant)), dockerfile.text);
  }
  const work: Work = { ...build, prepared, archive, folder, logPath: join(folder, LOG) };
  await sweepUnclaimed(folder, [...BUILD_VARIANTS.map(variantFile), LOG, "manifest.json"], Date.now());
  const log = openStaged(work.logPath);
  const claim = await claimStaged(log.path, "file");
  try {
    return await buildOrReuse(work, log, tools);
  } catch (error) {
    throw withLog(error, { work, log });
  } finally {
    log.discard();
    claim?.release();
  }
}

async function buildOrReuse(work: Work, log: StagedText, tools: Tools): Promise<ProfileResponse> {
  const { prepared, request, options } = work;
  const { tag } = prepared;
  if (!request.force_rebuild) {
    const local = prepared.image;
    if (local !== undefined && (options.trustTag || matching(prepared, local) !== undefined)) {
      log.write(`Reused existing image ${tag}.\n`);
      return finish(work, { reused: true, planned: matching(prepared, local) }, log);
    }
    const cached = await loadFromCache(work, log, tools);
    if (cached !== undefined) {
      log.write(`Loaded cached image ${tag}.\n`);
      return finish(work, { reused: true, planned: matching(prepared, cached) }, log);
    }
  }
  const staged = await stageArchive(work.archive, prepared.repository);
  try {
    const planned = await buildVariants(work, log, tools);
    await saveCachedImage(prepared, staged, tools);
    return finish(work, { reused: false, planned }, log);
  } finally {
    staged.discard();
  }
}

/** The variant that an image was built from, as the repository is now. */
function matching({ variants, profile }: PreparedProfile, image: StoredImage): PlannedVariant | undefined {
  return variants
    .filter(({ variant }) => variant.apt !== "archive_unauthenticated" || mayBeUnauthenticated(profile))
    .find(({ planHash }) => image.labels[PLAN_LABEL] === planHash);
}

/** A broken archive is as good as none. */
async function loadFromCache(work: Work, log: StagedText, tools: Tools): Promise<StoredImage | undefined> {
  const { prepared, archive, options } = work;
  const planHashes = options.trustTag ? undefined : prepared.variants.map(({ planHash }) => planHash);
  try {
    return await loadCachedImage(prepared, { archive, planHashes }, tools);
  } catch (error) {
    tools.interruption.signal.throwIfAborted();
    const text = `The cached image cannot be used and is built again: ${messageOf(error)}`;
    tools.log.warning(text);
    log.write(`${text}\n`);
    return undefined;
  }
}

/** Builds the standard variant, and those that mend what it failed of; throws the last failure. */
async function buildVariants(work: Work, log: StagedText, tools: Tools): Promise<PlannedVariant> {
  const { prepared, request } = work;
  const tried = new Set<string>();
  let variant = STANDARD_VARIANT;
  for (;;) {
    const planned = prepared.variants[BUILD_VARIANTS.indexOf(variant)];
    if (planned === undefined) throw new TypeError(`No plan of the variant ${variant.name}.`);
    const noCache = request.force_rebuild || tried.size > 0;
    tried.add(variant.name);
    const end = await prepared.engine.build(attemptAt(work, { planned, noCache, log: log.write }));
    if (end.kind === "built") return planned;
    const next = nextVariant(variant, end.output, prepared.profile);
    log.write(`==> ${variant.name} failed: ${end.error.message}\n`);
    if (next === undefined || tried.has(next.name)) {
      registerUnsupported(prepared, classifyBuildFailure(end.output), tools);
      throw end.error;
    }
    tools.log.warning(`The ${variant.name} build failed; trying again as ${next.name}.`);
    variant = next;
  }
}

function attemptAt({ prepared, view }: Work, attempt: Pick<BuildAttempt, "planned" | "noCache" | "log">): BuildAttempt {
  const { id, tag, image, repository, ignore, base, profile } = prepared;
  return {
    ...attempt,
    tag,
    hasPrevious: image !== undefined,
    repository,
    ignore,
    base,
    language: profile.language,
    // One repository's code must not choose what another one installs.
    cacheId: `cooper-${id}`,
    view,
  };
}

function finish(
  { prepared, folder, logPath }: Work,
  { reused, planned }: { reused: boolean; planned: PlannedVariant | undefined },
  log: StagedText,
): ProfileResponse {
  const { tag, id, profile, baseImage, base } = prepared;
  const variant = planned?.variant ?? STANDARD_VARIANT;
  log.finish();
  writeManifest(folder, {
    image_tag: tag,
    profile_id: id,
    reused_cache: reused,
    build_variant: variant.name,
    builder_used: variant.builder,
    archive_used: variant.apt !== "standard",
    apt_security_mode: variant.apt,
    python_version_target: profile.python_version_target,
    base_image_tag: baseImage,
    base_image_digest: base.digest,
    policy_profile: profile.policy_profile,
  });
  return { image_tag: tag, profile_id: id, reused_cache: reused, build_log_path: logPath };
}

/** The failure with the path of the log, which is kept with the failure as its last line. */
function withLog(error: unknown, { work, log }: { work: Work; log: StagedText }): unknown {
  try {
    log.write(`${messageOf(error)}\n`);
    log.finish();
  } catch {
    // Where nothing can be written there is no log to be named.
    return error;
  }
  if (error instanceof Interrupted || !(error instanceof UserError)) return error;
  return new UserError(error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.description === undefined ? {} : { description: error.description }),
    data: { ...error.data, build_log_path: work.logPath },
    cause: error,
  });
}
