import type { FeatureValue } from "../devcontainer/schema.ts";
import { messageOf, UserError } from "../errors.ts";
import { compareText } from "../features/compare-text.ts";
import { buildFeatureGraph, type FeatureNode } from "../features/graph.ts";
import { orderFeatures } from "../features/install-order.ts";
import type { LockedFeature, Lockfile } from "../features/lockfile.ts";
import type { FeatureManifest } from "../features/manifest-schema.ts";
import { type OptionVariable, optionWarnings, resolveOptions } from "../features/options.ts";
import {
  classifyFeatureId,
  type FeatureLocation,
  type FeatureReference,
  notProcessable,
} from "../features/reference.ts";
import { type RequestedFeature, requestFeatures } from "../features/requested-features.ts";
import type { FeatureWarning } from "../features/warning.ts";
import type { JsonObject } from "../json.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../registry/registry-error.ts";
import { type FeaturePorts, type FetchedFeature, fetchFeature, type WantedFeature } from "./fetch-feature.ts";

/** The Features of a configuration, as written. */
export type ResolveFeaturesRequest = FeatureLocation & {
  readonly features: Readonly<Record<string, FeatureValue>>;
  /** From the command line; those that devcontainer.json names too do not count. */
  readonly additionalFeatures?: Readonly<Record<string, FeatureValue>> | undefined;
  readonly overrideFeatureInstallOrder?: readonly string[] | undefined;
  readonly lockfile?: Lockfile | undefined;
};

/** A Feature with its files on disk. */
export type ResolvedFeature = {
  /** As devcontainer.json or another Feature names it. */
  readonly userId: string;
  /** Its folder's name in a build: id and place in the install order. */
  readonly consecutiveId: string;
  readonly reference: FeatureReference;
  readonly manifest: FeatureManifest;
  /** Its devcontainer-feature.json after the migration of old properties. */
  readonly json: JsonObject;
  readonly optionEnv: readonly OptionVariable[];
  readonly value: FeatureValue;
  /** Names the same content anywhere: of a registry's manifest, an archive, or a folder's files. */
  readonly digest: Digest;
  /** Absolute; nothing in it is to be changed. */
  readonly contentFolder: string;
  /** How a lockfile names it; undefined for what a lockfile does not hold. */
  readonly locked: { readonly resolved: string; readonly integrity: Digest } | undefined;
  /** The registry's manifest; undefined for a Feature from elsewhere. */
  readonly imageManifest: JsonObject | undefined;
  /** What to say when it is installed: deprecation, renaming. */
  readonly warnings: readonly FeatureWarning[];
};

/** Features in install order, the lockfile that pins them, and everything their user should read. */
export type ResolvedFeatures = {
  readonly features: readonly ResolvedFeature[];
  readonly lockfile: Lockfile;
  readonly warnings: readonly FeatureWarning[];
};

/**
 * Finds, orders and fetches the Features of a configuration and those they depend on. Manifests and archives are
 * fetched side by side; what the lockfile pins and the cache has needs no network. Throws a UserError for a Feature
 * that cannot be had, for content that is not what was pinned, and for a circle.
 */
export async function resolveFeatures(request: ResolveFeaturesRequest, ports: FeaturePorts): Promise<ResolvedFeatures> {
  const { features: requested, warnings } = requestFeatures(request.features, request.additionalFeatures);
  const override = (request.overrideFeatureInstallOrder ?? []).map((userId) => classifyOverride(userId, request));
  const source = createSource(request, ports);
  try {
    const nodes = orderFeatures(await buildFeatureGraph(requested, source), override);
    const features = await Promise.all(nodes.map(resolveNode));
    const ofOptions = features
      .filter(({ userId, value }) => requested.some((written) => written.userId === userId && written.value === value))
      .flatMap((feature) => optionWarnings(feature.manifest, feature));
    const ofFeatures = features.flatMap((feature) => feature.warnings);
    const ofIds = source.warnings(requested.map(({ userId }) => userId));
    const lockfile = lockfileOf(nodes, requested);
    return { features, lockfile, warnings: [...warnings, ...ofIds, ...ofFeatures, ...ofOptions] };
  } finally {
    await source.settled();
  }
}

/** Meanings of ids, and Features by way of the ports; remembers what was begun. */
function createSource(request: ResolveFeaturesRequest, ports: FeaturePorts) {
  const ofIds = new Map<string, readonly FeatureWarning[]>();
  const begun: Promise<unknown>[] = [];
  return {
    classify: (userId: string) => classifyFeatureId(userId, request).reference,
    load: async (userId: string): Promise<FetchedFeature> => {
      const { reference, warnings } = classifyFeatureId(userId, request);
      ofIds.set(userId, warnings);
      const fetching = fetchExplained({ userId, reference, locked: request.lockfile?.get(userId) }, ports);
      const ending = fetching.then(({ content }) => content);
      begun.push(ending.catch(() => undefined));
      return fetching;
    },
    /** Of the requested ids first; the others come as their fetches end, which is no order, so they are sorted. */
    warnings: (requested: readonly string[]): FeatureWarning[] => {
      const others = [...ofIds.keys()].filter((userId) => !requested.includes(userId)).sort(compareText);
      return [...requested, ...others].flatMap((userId) => ofIds.get(userId) ?? []);
    },
    /** Nothing goes on behind the caller's back, neither after a failure nor for a Feature that turned out to be a duplicate. */
    settled: async (): Promise<void> => {
      for (let waited = -1; waited < begun.length; ) {
        waited = begun.length;
        await Promise.all(begun);
      }
    },
  };
}

async function resolveNode(node: FeatureNode<FetchedFeature>, index: number): Promise<ResolvedFeature> {
  const { userId, value, reference, loaded } = node;
  const { folder, digest, description } = await loaded.content;
  const { manifest, raw: json } = description;
  return {
    userId,
    consecutiveId: `${manifest.id}_${index}`.replace(/[^A-Za-z0-9_.-]/g, "_"),
    reference,
    manifest,
    json,
    optionEnv: resolveOptions(manifest, value),
    value,
    digest,
    contentFolder: folder,
    locked: loaded.locked,
    imageManifest: loaded.imageManifest,
    warnings: manifestWarnings(manifest, reference),
  };
}

function manifestWarnings(manifest: FeatureManifest, reference: FeatureReference): FeatureWarning[] {
  const { id, currentId, legacyIds = [], deprecated } = manifest;
  const warnings: FeatureWarning[] = [];
  if (deprecated) warnings.push({ kind: "deprecated", featureId: id });
  if (legacyIds.length > 0 && currentId !== undefined && currentId !== reference.id) {
    warnings.push({ kind: "renamed", featureId: reference.id, currentId });
  }
  return warnings;
}

/** Only what devcontainer.json brings about is locked, not what the command line adds. */
function lockfileOf(nodes: readonly FeatureNode<FetchedFeature>[], requested: readonly RequestedFeature[]): Lockfile {
  const unlocked = new Set(requested.filter(({ configured }) => !configured).map(({ userId }) => userId));
  const lockfile = new Map<string, LockedFeature>();
  for (const { userId, loaded } of nodes) {
    if (loaded.locked === undefined || unlocked.has(userId)) continue;
    const dependsOn = Object.keys(loaded.manifest.dependsOn ?? {});
    const { version } = loaded.manifest;
    lockfile.set(userId, { version, ...loaded.locked, ...(dependsOn.length === 0 ? {} : { dependsOn }) });
  }
  return lockfile;
}

async function fetchExplained(wanted: WantedFeature, ports: FeaturePorts): Promise<FetchedFeature> {
  const fetched = await explain(wanted, fetchFeature(wanted, ports));
  const content = explain(wanted, fetched.content);
  // Awaited when the Feature has its place in the order; until then a failure is nobody's.
  content.catch(() => undefined);
  return { ...fetched, content };
}

/** Failures that name no Feature, such as a registry's, say which one could not be had. */
async function explain<Found>({ userId, locked }: WantedFeature, finding: Promise<Found>): Promise<Found> {
  try {
    return await finding;
  } catch (cause) {
    if (!(cause instanceof UserError) || cause.message.includes(`'${userId}'`)) throw cause;
    const isGone = locked !== undefined && cause instanceof RegistryError && cause.failure === "not-found";
    const hint = isGone ? "The lockfile pins it; `upgrade` pins what there is now instead." : cause.hint;
    throw notProcessable(userId, { reason: cause.message, hint, cause });
  }
}

function classifyOverride(userId: string, location: FeatureLocation): FeatureReference {
  try {
    return classifyFeatureId(userId, location).reference;
  } catch (cause) {
    throw new UserError(
      `Feature '${userId}' in 'overrideFeatureInstallOrder' could not be processed: ${messageOf(cause)}`,
      { cause },
    );
  }
}
