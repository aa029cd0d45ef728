import * as v from "valibot";
import { UserError } from "../errors.ts";
import { type Descriptor, descriptorSchema, type IndexEntry, indexEntrySchema, stringMapSchema } from "./descriptor.ts";
import { readJsonDocument, readJsonValue } from "./json-document.ts";
import { bareMediaType, documentKindOf, mediaTypes } from "./media-types.ts";
import { formatPlatform, type Platform, platformsRunningOn, samePlatform } from "./platform.ts";

/** One image or artifact: its config and layers, bottom layer first. */
export type ImageManifest = {
  readonly kind: "image";
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** A choice of images, usually one per platform. */
export type ImageIndex = {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly IndexEntry[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** What a registry or layout holds under a reference. */
export type Manifest = ImageManifest | ImageIndex;

const envelopeSchema = v.looseObject({ schemaVersion: v.number(), mediaType: v.optional(v.string()) });
const imageSchema = v.object({
  artifactType: v.optional(v.string()),
  config: descriptorSchema,
  layers: v.nullish(v.array(descriptorSchema), []),
  annotations: stringMapSchema,
});
const indexSchema = v.object({
  manifests: v.nullish(v.array(indexEntrySchema), []),
  annotations: stringMapSchema,
});

/**
 * Reads a Docker schema 2 or OCI manifest or index; `contentType` is what the server called it. Throws a UserError when
 * it is neither, is of the obsolete schema 1, or could be read as both (CVE-2021-41190).
 */
export function parseManifest(
  bytes: Uint8Array,
  options: { what: string; contentType?: string | undefined },
): Manifest {
  const { what } = options;
  const document = readJsonDocument(bytes, { schema: envelopeSchema, what });
  if (document.schemaVersion !== 2) {
    throw new UserError(`${what} has schema version ${document.schemaVersion}: only version 2 can be read.`, {
      hint: "Push the image again with a current tool: the older format has no verifiable digests.",
    });
  }
  const looksLikeIndex = Object.hasOwn(document, "manifests");
  const looksLikeImage = Object.hasOwn(document, "config") || Object.hasOwn(document, "layers");
  if (looksLikeIndex && looksLikeImage) throw new UserError(`${what} is ambiguous: it is both an index and an image.`);
  const kind = looksLikeIndex ? "index" : "image";
  const mediaType = mediaTypeOf({ kind, written: document.mediaType, sent: options.contentType, what });
  if (kind === "index") return { kind, mediaType, ...readJsonValue(document, { schema: indexSchema, what }) };
  const image = readJsonValue(document, { schema: imageSchema, what });
  return { kind, mediaType, ...image, artifactType: image.artifactType };
}

function mediaTypeOf(found: {
  kind: Manifest["kind"];
  written: string | undefined;
  sent: string | undefined;
  what: string;
}): string {
  const sent = found.sent === undefined ? undefined : bareMediaType(found.sent);
  for (const mediaType of [found.written, sent]) {
    const announced = documentKindOf(mediaType ?? "");
    if (mediaType === undefined || announced === "unknown") continue;
    if (announced === found.kind) return mediaType;
    throw new UserError(`${found.what} is called ${mediaType} but its content is that of an ${found.kind}.`);
  }
  return found.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}

/**
 * The entry of an index for a platform, exact variant first, or its only one if that names no platform; throws a
 * UserError that lists the platforms there are.
 */
export function selectPlatform(index: ImageIndex, options: { platform: Platform; what: string }): IndexEntry {
  for (const candidate of platformsRunningOn(options.platform)) {
    const entry = index.manifests.find(({ platform }) => platform !== undefined && samePlatform(platform, candidate));
    if (entry !== undefined) return entry;
  }
  const [only, ...others] = index.manifests;
  if (only !== undefined && only.platform === undefined && others.length === 0) return only;
  const available = platformsOf(index).map(formatPlatform);
  throw new UserError(
    `${options.what} has no image for ${formatPlatform(options.platform)}: it has ${available.join(", ") || "none at all"}.`,
    available.length === 0 ? {} : { hint: `Choose one with --platform, for example --platform ${available[0]}.` },
  );
}

/** The platforms an index has images for, in its own order; attestations, whose platform is `unknown`, are left out. */
export function platformsOf(index: ImageIndex): Platform[] {
  return index.manifests.flatMap(({ platform }) =>
    platform === undefined || platform.architecture === "unknown" ? [] : [platform],
  );
}
