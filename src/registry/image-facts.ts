import { UserError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageConfig, parseImageConfig } from "../oci/image-config.ts";
import { type ImageManifest, selectPlatform } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, type ImageReference } from "../oci/reference.ts";
import type { FetchedManifest, RegistryClient } from "./registry-client.ts";

/** What a registry knows about an image for one platform. */
export type ImageFacts = {
  /** Of what the reference names: the index's where there is one, else the manifest's. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly configDigest: Digest;
  readonly config: ImageConfig;
  /** The image's own, which for an image without index need not be the one asked for. */
  readonly platform: Platform;
};

const maximumConfig = 8 * 1024 * 1024;

/**
 * Reads an image's facts without its layers; throws a UserError when there is none for the platform or it is no image.
 */
export async function readRemoteImage(
  client: Pick<RegistryClient, "manifest" | "blob">,
  reference: ImageReference,
  { platform }: { platform: Platform },
): Promise<ImageFacts> {
  const what = formatReference(reference);
  const named = await client.manifest(reference);
  const fetched = await imageFor(named, { client, reference, platform });
  const manifest = imageManifestOf(fetched, what);
  const bytes = await client.blob(reference, manifest.config, { maximum: maximumConfig });
  const config = parseImageConfig(bytes, `The config of ${what}`);
  return {
    digest: named.digest,
    manifestDigest: fetched.digest,
    configDigest: manifest.config.digest,
    config,
    platform: config.platform,
  };
}

async function imageFor(
  named: FetchedManifest,
  wanted: { client: Pick<RegistryClient, "manifest">; reference: ImageReference; platform: Platform },
): Promise<FetchedManifest> {
  const { client, reference, platform } = wanted;
  if (named.manifest.kind === "image") return named;
  const entry = selectPlatform(named.manifest, { platform, what: formatReference(reference) });
  return client.manifest({ ...reference, tag: undefined, digest: entry.digest });
}

function imageManifestOf({ manifest }: FetchedManifest, what: string): ImageManifest {
  if (manifest.kind === "image") return manifest;
  throw new UserError(`${what} has an index inside its index; an image was expected there.`);
}
