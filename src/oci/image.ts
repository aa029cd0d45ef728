import * as v from "valibot";
import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { ManifestDocument } from "./content.ts";
import type { Descriptor, IndexEntry } from "./descriptor.ts";
import { digestSchema } from "./descriptor.ts";
import { type Digest, sha256Of } from "./digest.ts";
import { readJsonValue } from "./json-document.ts";
import { parseManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";
import { normalizePlatform, type Platform } from "./platform.ts";

/** One image as a value: its config as JSON, and its layers, bottom first. A change gives a new value. */
export type Image = {
  readonly platform: Platform;
  /** The whole config document, with whatever fields it has. */
  readonly config: JsonObject;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
};

/** An image's documents, ready to be written: content first. */
export type ImageDocuments = {
  readonly config: { descriptor: Descriptor; bytes: Uint8Array };
  readonly manifest: ManifestDocument;
};

/** No manifest may be larger: registries refuse it. */
export const maximumManifestSize: number = 4 * 1024 * 1024;

const encoder = new TextEncoder();

/** An image without layers for a platform; `created` is RFC 3339 text. */
export function emptyImage(platform: Platform, created: string): Image {
  const { architecture, os, variant } = platform;
  const config: JsonObject = {
    created,
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  };
  return { platform, config, layers: [], annotations: {} };
}

/** The image that a manifest and its config's bytes make; throws a UserError that starts with `what` when they disagree. */
export function readImage(
  manifest: Extract<ManifestDocument["manifest"], { kind: "image" }>,
  { config: bytes, what }: { config: Uint8Array; what: string },
): Image {
  const config: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!isJsonObject(config)) throw new UserError(`${what} is not valid: its config is no JSON object.`);
  const { os, architecture, variant } = readJsonValue(config, {
    schema: platformSchema,
    what: `The config of ${what}`,
  });
  const image = {
    platform: normalizePlatform({ os, architecture, variant }),
    config,
    layers: manifest.layers,
    annotations: manifest.annotations,
  };
  const count = diffIdsOf(image).length;
  if (count !== image.layers.length) {
    throw new UserError(`${what} is not valid: it has ${image.layers.length} layers, but its config names ${count}.`);
  }
  return image;
}

const platformSchema = v.looseObject({ os: v.string(), architecture: v.string(), variant: v.optional(v.string()) });
const rootfsSchema = v.looseObject({ diff_ids: v.nullish(v.array(digestSchema), []) });

/** The digests of an image's uncompressed layers. */
export function diffIdsOf({ config }: Pick<Image, "config">): Digest[] {
  return readJsonValue(config["rootfs"] ?? {}, { schema: rootfsSchema, what: "The image config's rootfs" }).diff_ids;
}

/**
 * The image's documents as OCI 1.0 has them, with the config that is stored already if one is given. Throws a UserError
 * when the manifest becomes too large for a registry.
 */
export function documentsOf(image: Image, stored?: ImageDocuments["config"]): ImageDocuments {
  const config = stored ?? describe(image.config, mediaTypes.ociConfig);
  const manifest = describeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptorJson(config.descriptor),
      layers: image.layers.map((layer) => descriptorJson({ ...layer, mediaType: ociLayerType(layer.mediaType) })),
      ...annotationsJson(image.annotations),
    },
    mediaTypes.ociManifest,
  );
  return { config, manifest };
}

/** An index of images, in the order given. */
export function indexDocument(
  entries: readonly { readonly manifest: Descriptor; readonly platform: Platform }[],
  annotations: Readonly<Record<string, string>>,
): ManifestDocument {
  const manifests = entries.map(({ manifest, platform }) => entryJson({ ...manifest, platform }));
  return describeManifest(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...annotationsJson(annotations) },
    mediaTypes.ociIndex,
  );
}

/** An index entry as its JSON. */
export function entryJson(entry: IndexEntry): JsonObject {
  const { annotations, ...rest } = descriptorJson(entry);
  const { platform } = entry;
  if (platform === undefined) return annotations === undefined ? rest : { ...rest, annotations };
  const { architecture, os, variant } = platform;
  const platformJson = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  return { ...rest, ...(annotations === undefined ? {} : { annotations }), platform: platformJson };
}

/** A descriptor as its JSON, without empty annotations. */
export function descriptorJson({ mediaType, digest, size, annotations }: Descriptor): JsonObject {
  return { mediaType, digest, size, ...annotationsJson(annotations) };
}

function annotationsJson(annotations: Readonly<Record<string, string>>): JsonObject {
  const names = Object.keys(annotations).sort();
  if (names.length === 0) return {};
  return { annotations: Object.fromEntries(names.map((name) => [name, annotations[name] ?? ""])) };
}

/** The bytes are the same whatever wrote the descriptor: only what it is called changes with the manifest's format. */
function ociLayerType(mediaType: string): string {
  switch (mediaType) {
    case mediaTypes.dockerLayerGzip:
      return mediaTypes.ociLayerGzip;
    case "application/vnd.docker.image.rootfs.diff.tar":
      return mediaTypes.ociLayer;
    case "application/vnd.docker.image.rootfs.diff.tar.zstd":
      return mediaTypes.ociLayerZstd;
    default:
      return mediaType;
  }
}

function describe(document: JsonValue, mediaType: string): { descriptor: Descriptor; bytes: Uint8Array } {
  const bytes = encoder.encode(JSON.stringify(document));
  return { descriptor: { mediaType, digest: sha256Of(bytes), size: bytes.length, annotations: {} }, bytes };
}

function describeManifest(document: JsonObject, mediaType: string): ManifestDocument {
  const { descriptor, bytes } = describe(document, mediaType);
  if (bytes.length > maximumManifestSize) {
    throw new UserError(`The image's manifest would have ${bytes.length} bytes: registries take at most 4 MiB.`, {
      hint: "Give it fewer or shorter annotations, or fewer layers.",
    });
  }
  return { descriptor, bytes, manifest: parseManifest(bytes, { what: "The image's manifest" }) };
}
