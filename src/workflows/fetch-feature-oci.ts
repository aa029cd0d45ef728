import { UserError } from "../errors.ts";
import type { LockedFeature } from "../features/lockfile.ts";
import { type FeatureDescription, parseFeatureManifest } from "../features/manifest-schema.ts";
import { type OciFeatureReference, resolvedOciFeature } from "../features/oci-reference.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { ImageReference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/registry-client.ts";
import type { BlobCache } from "../store/blob-cache.ts";
import { digestMismatch, type FeatureContent, type UnpackPorts, unpackFeature } from "./fetch-feature-content.ts";

/** Where Features of registries come from, and where their manifests and archives are kept by digest. */
export type OciFeaturePorts = UnpackPorts & {
  readonly registry: Pick<RegistryClient, "manifest" | "blob">;
  readonly blobs: Pick<BlobCache, "read" | "write">;
};

/** A Feature found in a registry. */
export type OciFeature = {
  /** Of its manifest. */
  readonly digest: Digest;
  readonly resolved: string;
  readonly imageManifest: JsonObject;
  /** As the manifest's annotation has it. */
  readonly description: FeatureDescription;
  readonly content: Promise<FeatureContent>;
};

type WantedOciFeature = {
  readonly userId: string;
  readonly reference: OciFeatureReference;
  readonly locked: LockedFeature | undefined;
};

const configMediaType = "application/vnd.devcontainers";

/**
 * Finds a Feature under its locked digest, its own digest or its tag, and begins to fetch its archive. What is pinned
 * and was fetched before needs no network. Throws a UserError when it is not there or not what was pinned.
 */
export async function fetchOciFeature(wanted: WantedOciFeature, ports: OciFeaturePorts): Promise<OciFeature> {
  const { userId, reference } = wanted;
  const image = imageReference(wanted);
  const { bytes, digest } = await fetchManifest(image, ports);
  const resolved = resolvedOciFeature(reference, digest);
  const manifest = parseManifest(bytes, { what: `The manifest of Feature '${userId}' (${resolved})` });
  const archive = manifest.kind === "image" ? manifest.layers[0] : undefined;
  if (manifest.kind !== "image" || manifest.config.mediaType !== configMediaType || archive === undefined) {
    throw new UserError(
      `Feature '${userId}' is not a Feature: ${resolved} is an ${manifest.kind} whose config is ${manifest.kind === "image" ? manifest.config.mediaType : "absent"}; wanted ${configMediaType} and a layer.`,
    );
  }
  const content = fetchContent({ userId, digest, image, archive }, ports);
  // Awaited by who installs the Feature; until then a failure is nobody's.
  content.catch(() => undefined);
  const annotation = manifest.annotations["dev.containers.metadata"];
  const description =
    annotation === undefined
      ? (await content).description
      : parseFeatureManifest(annotation, { userId, file: `the annotation dev.containers.metadata of ${resolved}` });
  return { digest, resolved, imageManifest: jsonOf(bytes), description, content };
}

function imageReference({ userId, reference, locked }: WantedOciFeature): ImageReference {
  const { registry: domain, path: repository, tag, digest } = reference;
  if (locked === undefined) return { domain, repository, tag, digest };
  if (digest !== undefined && digest !== locked.integrity) {
    throw digestMismatch(`Feature '${userId}'`, { wanted: locked.integrity, found: digest });
  }
  return { domain, repository, tag: undefined, digest: locked.integrity };
}

async function fetchManifest(
  image: ImageReference,
  ports: OciFeaturePorts,
): Promise<{ bytes: Uint8Array; digest: Digest }> {
  const cached = image.digest === undefined ? undefined : await ports.blobs.read(image.digest);
  if (cached !== undefined && image.digest !== undefined) return { bytes: cached, digest: image.digest };
  const fetched = await ports.registry.manifest(image, { accept: [mediaTypes.ociManifest] });
  await ports.blobs.write(fetched.digest, fetched.bytes);
  return fetched;
}

async function fetchContent(
  found: { userId: string; digest: Digest; image: ImageReference; archive: Descriptor },
  ports: OciFeaturePorts,
): Promise<FeatureContent> {
  const { userId, digest, image, archive } = found;
  const bytes = async () => {
    const cached = await ports.blobs.read(archive.digest);
    if (cached !== undefined) return cached;
    const fetched = await ports.registry.blob(image, archive);
    await ports.blobs.write(archive.digest, fetched);
    return fetched;
  };
  return { ...(await unpackFeature({ userId, digest: archive.digest, bytes }, ports)), digest };
}

function jsonOf(bytes: Uint8Array): JsonObject {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return isJsonObject(parsed) ? parsed : {};
}
