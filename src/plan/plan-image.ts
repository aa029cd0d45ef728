import type { FeatureManifest } from "../features/manifest-schema.ts";
import type { JsonObject } from "../json.ts";
import {
  type BuildPlan,
  type BuildStep,
  type FeatureStep,
  type ImageUsers,
  PLAN_VERSION,
  type PlanSource,
} from "./build-plan.ts";
import type { UserIds } from "./user-ids.ts";

/** A Feature that is to be installed, as resolving found it. */
export interface PlannedFeature {
  /** The id as the user wrote it. */
  readonly userId: string;
  readonly folder: string;
  readonly digest: string;
  readonly manifest: FeatureManifest;
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly warnings: readonly string[];
}

/** What a dev container image is planned from. */
export interface ImagePlanInput {
  readonly source: PlanSource;
  readonly platforms: readonly string[];
  readonly users: ImageUsers;
  /** In install order. */
  readonly features: readonly PlannedFeature[];
  /** The ids that the remote user is to have; undefined leaves the image's. */
  readonly userIds?: UserIds | undefined;
  /** Entries of the base image, of the Features and of the configuration, in that order. */
  readonly metadata: readonly JsonObject[];
  /** Variables of the configuration; set in the image only where Features make it one of its own. */
  readonly containerEnv: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The plan of a dev container image: Features, the remote user's ids, variables, the metadata label, labels. */
export function planImage(input: ImagePlanInput): BuildPlan {
  const hasFeatures = input.features.length > 0;
  const steps: BuildStep[] = [
    ...input.features.map(planFeature),
    ...(input.userIds === undefined ? [] : [{ kind: "user-ids", ...input.userIds } as const]),
    ...(hasFeatures && Object.keys(input.containerEnv).length > 0
      ? [{ kind: "env", variables: input.containerEnv } as const]
      : []),
    ...(input.metadata.length > 0 ? [{ kind: "metadata", entries: input.metadata } as const] : []),
    ...(Object.keys(input.labels).length > 0 ? [{ kind: "label", labels: input.labels } as const] : []),
  ];
  return {
    version: PLAN_VERSION,
    source: input.source,
    platforms: input.platforms.toSorted(),
    users: input.users,
    steps,
  };
}

function planFeature(feature: PlannedFeature): FeatureStep {
  const { manifest } = feature;
  return {
    kind: "feature",
    folder: feature.folder,
    reference: feature.userId,
    digest: feature.digest,
    id: manifest.id,
    name: manifest.name ?? null,
    description: manifest.description ?? null,
    version: manifest.version ?? null,
    documentationUrl: manifest.documentationURL ?? null,
    warnings: feature.warnings,
    options: feature.options.map(({ name, value }) => [name, value] as const),
    containerEnv: manifest.containerEnv ?? {},
  };
}
