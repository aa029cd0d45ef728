import type { IndexEntry } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { envRecord } from "../oci/env-entries.ts";
import { type ImageConfig, parseImageConfig } from "../oci/image-config.ts";
import { fullNameOf } from "../oci/layout-index.ts";
import { type ImageManifest, parseManifest } from "../oci/manifest.ts";
import { formatPlatform, normalizePlatform, type Platform, platformsRunningOn, samePlatform } from "../oci/platform.ts";
import { formatName, type ImageReference, parseImageReference } from "../oci/reference.ts";
import { findEntries, originOf } from "../oci/store-entries.ts";
import type { ImageStore } from "../store/image-store.ts";
import type { LocalImage } from "./local-image.ts";

/**
 * The images of these references that cooper's store has; of an index, the one for `platform`, else for this machine. Looking at one
 * counts as using it.
 */
export function inspectImages(
  store: ImageStore,
  references: readonly string[],
  platform: Platform = normalizePlatform({ os: "linux", architecture: process.arch }),
): ReadonlyMap<string, LocalImage> {
  const entries = store.entries();
  return new Map(
    [...new Set(references)].flatMap((written) => {
      const reference = parseIfReference(written);
      if (reference === undefined) return [];
      for (const entry of findEntries(entries, reference)) {
        const image = readImage(store, entry, platform);
        if (image === undefined) continue;
        store.touch(entry.digest);
        return [[written, describe(image, { reference, entry, entries })] as const];
      }
      return [];
    }),
  );
}

interface StoredImage {
  readonly configDigest: Digest;
  readonly config: ImageConfig;
}

/** Manifest and config of an entry's image for a platform; undefined when it has none, or what it has is damaged. */
function readImage(store: ImageStore, entry: IndexEntry, platform: Platform): StoredImage | undefined {
  const manifest = readManifest(store, entry, platform);
  const bytes = manifest === undefined ? undefined : store.readDocument(manifest.config);
  if (manifest === undefined || bytes === undefined) return undefined;
  const configDigest = manifest.config.digest;
  return { configDigest, config: parseImageConfig(bytes, `The config ${configDigest} of cooper's store`) };
}

function readManifest(
  store: ImageStore,
  descriptor: Pick<IndexEntry, "digest" | "size" | "mediaType">,
  platform: Platform,
): ImageManifest | undefined {
  const bytes = store.readDocument(descriptor);
  if (bytes === undefined) return undefined;
  const what = `The manifest ${descriptor.digest} of cooper's store`;
  const manifest = parseManifest(bytes, { what, contentType: descriptor.mediaType });
  if (manifest.kind === "image") return manifest;
  for (const candidate of platformsRunningOn(platform)) {
    const fitting = manifest.manifests.find((entry) => entry.platform && samePlatform(entry.platform, candidate));
    if (fitting !== undefined) return readManifest(store, fitting, platform);
  }
  return undefined;
}

function describe(
  { configDigest, config }: StoredImage,
  found: { readonly reference: ImageReference; readonly entry: IndexEntry; readonly entries: readonly IndexEntry[] },
): LocalImage {
  const { reference, entry, entries } = found;
  const origin = originOf(entry);
  const pulled = origin?.name === formatName(reference) ? origin.digest : undefined;
  return {
    id: configDigest,
    engine: "store",
    digest: reference.digest ?? pulled ?? configDigest,
    pulled: pulled !== undefined,
    platform: formatPlatform(config.platform),
    user: config.user,
    env: envRecord(config.env),
    labels: config.labels,
    entrypoint: config.entrypoint,
    command: config.command,
    names: entries.flatMap((other) => (other.digest === entry.digest ? (fullNameOf(other) ?? []) : [])),
  };
}

function parseIfReference(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text);
  } catch {
    return undefined;
  }
}
