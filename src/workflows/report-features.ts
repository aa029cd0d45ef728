import { withoutVersion } from "../features/oci-reference.ts";
import type { FeatureReference } from "../features/reference.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { ResolvedFeature } from "./resolve-features.ts";

/** Features in the form in which `read-configuration` reports them: one set for each, in install order. */
export function reportFeatures(features: readonly ResolvedFeature[], cacheFolder: string): JsonObject {
  return { featureSets: features.map(reportFeature), dstFolder: cacheFolder };
}

function reportFeature(feature: ResolvedFeature): JsonObject {
  const value: unknown = feature.value;
  return {
    sourceInformation: reportSource(feature),
    features: [
      {
        ...feature.json,
        id: feature.manifest.id,
        value: isJsonObject(value) ? value : String(value),
        included: true,
        cachePath: feature.contentFolder,
        consecutiveId: feature.consecutiveId,
      },
    ],
    internalVersion: "2",
    ...(feature.locked === undefined ? {} : { computedDigest: feature.locked.integrity }),
  };
}

function reportSource({ reference, userId, imageManifest, digest }: ResolvedFeature): JsonObject {
  switch (reference.kind) {
    case "local":
      return { type: "file-path", resolvedFilePath: reference.folder, userFeatureId: userId };
    case "tarball":
      return { type: "direct-tarball", tarballUri: reference.url, userFeatureId: userId };
    case "github-legacy":
      return {
        type: "github-repo",
        owner: reference.owner,
        repo: reference.repository,
        isLatest: reference.tag === undefined,
        ...(reference.tag === undefined ? {} : { tag: reference.tag }),
        userFeatureId: userId,
        userFeatureIdWithoutVersion: userId.split("@")[0] ?? userId,
      };
    case "oci":
      return {
        type: "oci",
        manifest: imageManifest ?? {},
        manifestDigest: digest,
        featureRef: reportReference(reference),
        userFeatureId: userId,
        userFeatureIdWithoutVersion: withoutVersion(userId),
      };
  }
}

function reportReference(reference: Extract<FeatureReference, { kind: "oci" }>): JsonObject {
  const { id, owner, namespace, registry, resource, path, tag, digest } = reference;
  const version = tag ?? digest ?? "latest";
  return {
    scheme: registry.split(":")[0] === "localhost" ? "http" : "https",
    id,
    owner,
    namespace,
    registry,
    resource,
    path,
    version,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
