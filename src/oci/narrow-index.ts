import { isJsonObject } from "../json.ts";
import type { ImageSource, ManifestDocument } from "./content.ts";
import { sha256Of } from "./digest.ts";
import { type ImageIndex, parseManifest, selectPlatform } from "./manifest.ts";
import type { Platform } from "./platform.ts";

/**
 * The image of an index for a platform, or for several an index of those alone, whose entries are as they were. Throws
 * a UserError that starts with `what` and lists the platforms there are when one is not among them.
 */
export async function narrowIndex(
  source: ImageSource,
  { platforms, what }: { platforms: readonly Platform[]; what: string },
): Promise<ManifestDocument> {
  const { root } = source;
  const index = indexOf(root);
  const entries = [...new Set(platforms.map((platform) => selectPlatform(index, { platform, what })))];
  const [only, ...more] = entries;
  if (only !== undefined && more.length === 0) return source.readManifest(only);
  const document: unknown = JSON.parse(new TextDecoder().decode(root.bytes));
  const manifests = isJsonObject(document) && Array.isArray(document["manifests"]) ? document["manifests"] : [];
  // Both lists have the same entries in the same order: one as written, one as read.
  const kept = manifests.filter((_, position) => entries.some((entry) => entry === index.manifests[position]));
  const bytes = new TextEncoder().encode(
    JSON.stringify({ ...(isJsonObject(document) ? document : {}), manifests: kept }),
  );
  const { mediaType } = root.descriptor;
  return {
    descriptor: { mediaType, digest: sha256Of(bytes), size: bytes.length, annotations: {} },
    bytes,
    manifest: parseManifest(bytes, { what, contentType: mediaType }),
  };
}

function indexOf({ manifest }: ManifestDocument): ImageIndex {
  if (manifest.kind === "index") return manifest;
  throw new TypeError("Only an index can be narrowed.");
}
