import { statSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { diffIdsOf, readImage } from "../oci/image.ts";
import { parseManifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { groupByImage } from "../oci/store-entries.ts";
import type { ImageStore } from "./image-store.ts";

/** An image of the store with all that it consists of. */
export interface StoredContents {
  readonly root: Descriptor;
  /** Full references. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly lastUsed: number;
  /** Bytes of every manifest, config and layer that is in the store for it. */
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly diffIds: ReadonlySet<Digest>;
  /** The images that it holds, one a platform. */
  readonly images: readonly StoredPlatform[];
}

/** One platform's image. */
export interface StoredPlatform {
  readonly platform: string;
  /** As its config says, RFC 3339. */
  readonly created: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** What every image of the store consists of; those that lost their root are left out. */
export function readContents(store: ImageStore): readonly StoredContents[] {
  return groupByImage(store.entries()).flatMap(({ root, names }) => {
    const stats = statSync(store.blobPath(root.digest), { throwIfNoEntry: false });
    const walk: Walk = { store, blobs: new Map(), diffIds: new Set(), images: [] };
    if (stats === undefined || !visit(walk, root)) return [];
    const { blobs, diffIds, images } = walk;
    return [{ root, names, lastUsed: stats.mtimeMs, blobs, diffIds, images }];
  });
}

interface Walk {
  readonly store: ImageStore;
  readonly blobs: Map<Digest, number>;
  readonly diffIds: Set<Digest>;
  readonly images: StoredPlatform[];
}

/** False when the document is not there, or is none. */
function visit(walk: Walk, descriptor: Descriptor): boolean {
  const { store, blobs } = walk;
  const bytes = store.readDocument(descriptor);
  if (bytes === undefined) return false;
  blobs.set(descriptor.digest, descriptor.size);
  const what = `The manifest ${descriptor.digest} of cooper's store`;
  const manifest = parseManifest(bytes, { what, contentType: descriptor.mediaType });
  if (manifest.kind === "index") {
    for (const entry of manifest.manifests) visit(walk, entry);
    return true;
  }
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    // Layers that may not be passed on are not kept.
    if (statSync(store.blobPath(digest), { throwIfNoEntry: false }) !== undefined) blobs.set(digest, size);
  }
  const config = store.readDocument(manifest.config);
  if (config !== undefined) addImage(walk, () => readImage(manifest, { config, what }));
  return true;
}

/** What is no image has no layers that could lie unpacked. */
function addImage({ diffIds, images }: Walk, read: () => ReturnType<typeof readImage>): void {
  try {
    const image = read();
    for (const diffId of diffIdsOf(image)) diffIds.add(diffId);
    if (image.platform.architecture === "unknown") return;
    const { created, config } = image.config;
    images.push({
      platform: formatPlatform(image.platform),
      created: typeof created === "string" ? created : undefined,
      labels: labelsOf(config),
    });
  } catch {
    // An artifact, or an attestation.
  }
}

function labelsOf(config: JsonObject[string] | undefined): Readonly<Record<string, string>> {
  const labels = isJsonObject(config) ? config["Labels"] : undefined;
  if (!isJsonObject(labels)) return {};
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}
