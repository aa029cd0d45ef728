import { basename } from "node:path";
import { type MergedMetadata, mergeMetadata } from "../devcontainer/merge.ts";
import {
  configMetadataEntry,
  featureMetadataEntry,
  type MetadataEntry,
  metadataLabelName,
  readMetadataLabel,
} from "../devcontainer/metadata-label.ts";
import { UserError } from "../errors.ts";
import { featureWarningText } from "../features/warning.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { formatPlatform, parsePlatform } from "../oci/platform.ts";
import type { BuildPlan, ImageUsers } from "../plan/build-plan.ts";
import { deriveTag, hashPlan, PLAN_LABEL } from "../plan/plan-hash.ts";
import { planImage } from "../plan/plan-image.ts";
import { workingUser } from "../plan/run-args.ts";
import { decideUserIds, type UserIds } from "../plan/user-ids.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { BuildRequest } from "./build-request.ts";
import { type ComposeProject, readComposeProject, usesCompose } from "./compose-project.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { refuseForBackend } from "./refuse-for-backend.ts";
import { type ConfiguredFeatures, resolveConfiguredFeatures } from "./resolve-configured-features.ts";
import { resolveSource } from "./resolve-source.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import { requestOfService } from "./service-build.ts";
import type { Tools } from "./tools.ts";

/** A build that is decided but not begun. */
export interface PreparedBuild {
  /** What was asked for, and what a Compose service asks for beside it. */
  readonly request: BuildRequest;
  /** The project of a Compose configuration. */
  readonly compose: ComposeProject | undefined;
  readonly plan: BuildPlan;
  readonly planHash: string;
  /** The names that the image is to have. */
  readonly tags: readonly string[];
  readonly engine: Engine;
  /** Whether every tag is on an image that was built from this very plan. */
  readonly upToDate: boolean;
  readonly source: ResolvedSource;
  readonly features: ConfiguredFeatures;
  /** The host's folder of each copy step that brings files, by the step's folder. */
  readonly copyFolders: Readonly<Record<string, string>>;
}

/** A configuration to build the image of, with its Compose project where that has been read already. */
export type BuildOrigin = LoadedConfiguration & { readonly compose?: ComposeProject | undefined };

/** Decides what is to be built: reads the configuration, the base and the Features, and plans. */
export async function prepareBuild(asked: BuildRequest, origin: BuildOrigin, tools: Tools): Promise<PreparedBuild> {
  const features = resolveConfiguredFeatures(asked, origin, tools);
  // A failure of the other half must not leave this promise's rejection unhandled.
  features.catch(() => undefined);
  const compose = origin.compose ?? (usesCompose(origin) ? await readComposeProject(asked, origin, tools) : undefined);
  const request = compose === undefined ? asked : requestOfService(asked, compose, tools);
  if (request.backend === "native") refuseForBackend("native", request);
  if (request.backend === "assemble") refuseForBackend("none", request);
  const platforms = parsePlatforms(request.platform);
  const labels = parseLabels(request.labels);
  const source = await resolveSource(request, { configuration: origin, compose, platform: platforms[0] }, tools);
  const resolved = await features;
  const plan = planFrom({
    request,
    configuration: origin,
    compose,
    platforms,
    labels,
    source,
    features: resolved,
    tools,
  });
  const planHash = hashPlan(plan);
  const names = namesFor(plan, { asked, request });
  const tags = names.length > 0 ? names : [deriveTag(basename(origin.workspaceFolder), planHash)];
  const images = names.length > 0 ? source.images : await source.engine.inspectImages(tags);
  return {
    request,
    compose,
    plan,
    planHash,
    tags,
    engine: source.engine,
    upToDate: tags.every((tag) => isBuiltFrom(images.get(tag), planHash)),
    source,
    features: resolved,
    copyFolders: {},
  };
}

interface PlanParts {
  readonly request: BuildRequest;
  readonly configuration: LoadedConfiguration;
  readonly compose: ComposeProject | undefined;
  readonly platforms: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly source: ResolvedSource;
  readonly features: ConfiguredFeatures;
  readonly tools: Tools;
}

/** A service's own name for its image is for what anybody can use: not for one with the ids of whoever asks. */
function namesFor(
  plan: BuildPlan,
  { asked, request }: { asked: BuildRequest; request: BuildRequest },
): readonly string[] {
  return plan.steps.some((step) => step.kind === "user-ids") ? asked.imageNames : request.imageNames;
}

function planFrom(parts: PlanParts): BuildPlan {
  const { request, configuration, compose, platforms, labels, source, features, tools } = parts;
  const base = readMetadataLabel(source.base.labels[metadataLabelName] ?? "[]");
  for (const problem of base.problems) tools.log.warning(`${source.base.reference}: ${problem}`);
  const resolved = features.features;
  const ofFeatures = resolved.map((feature) =>
    featureMetadataEntry(feature.userId, feature.json, { omitCustomizations: request.omitFeatureCustomizations }),
  );
  const ofConfig = configMetadataEntry(configuration.rawConfig, { omitRemoteEnv: request.omitConfigRemoteEnv });
  const metadata = [...base.entries, ...ofFeatures, ...(ofConfig === undefined ? [] : [ofConfig])];
  const ofSubstituted = configMetadataEntry(configuration.substitutedConfig) ?? {};
  const merged = mergeMetadata([...base.entries, ...ofFeatures, ofSubstituted]);
  const users = usersOf(source.user, {
    ...merged,
    containerUser: merged.containerUser ?? (compose?.service.user || undefined),
  });
  return planImage({
    source: source.plan,
    platforms,
    users,
    userIds: userIdsOf(request, { merged, users, runArgs: configuration.config.runArgs ?? [] }),
    features: resolved.map((feature) => ({
      userId: feature.userId,
      folder: feature.consecutiveId,
      digest: feature.digest,
      manifest: feature.manifest,
      options: feature.optionEnv,
      warnings: feature.warnings.map(featureWarningText),
    })),
    metadata: metadata.map(toJsonObject),
    containerEnv: configuration.config.containerEnv ?? {},
    labels,
  });
}

function usersOf(imageUser: string, { remoteUser, containerUser }: MergedMetadata): ImageUsers {
  const image = imageUser === "" ? "root" : imageUser;
  const container = containerUser ?? image;
  return { image, container, remote: remoteUser ?? container };
}

function userIdsOf(
  { userIds }: BuildRequest,
  { merged, users, runArgs }: { merged: MergedMetadata; users: ImageUsers; runArgs: readonly string[] },
): UserIds | undefined {
  if (userIds === undefined) return undefined;
  const { remoteUser, updateRemoteUserUID } = merged;
  const user = workingUser({ remoteUser, runArgs, containerUser: users.container, imageUser: users.image });
  return decideUserIds(userIds, { configured: updateRemoteUserUID, user });
}

function isBuiltFrom(image: LocalImage | undefined, planHash: string): boolean {
  return image?.labels[PLAN_LABEL] === planHash;
}

function toJsonObject(entry: MetadataEntry): JsonObject {
  const json: unknown = entry;
  if (isJsonObject(json)) return json;
  throw new TypeError("A metadata entry is a JSON object.");
}

function parsePlatforms(text: string | undefined): readonly string[] {
  const platforms =
    text === undefined ? [] : text.split(",").map((platform) => formatPlatform(parsePlatform(platform)));
  // In whatever order they are asked for, the base is the first one's.
  return platforms.toSorted();
}

function parseLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const equals = label.indexOf("=");
      if (equals > 0) return [label.slice(0, equals), label.slice(equals + 1)];
      throw new UserError(`--label ${JSON.stringify(label)} must match <name>=<value>.`);
    }),
  );
}
