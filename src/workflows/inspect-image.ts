import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { ImageSource, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { diffIdsOf, type Image, maximumManifestSize, readImage } from "../oci/image.ts";
import { type ImageIndex, platformsOf, selectPlatform } from "../oci/manifest.ts";
import { formatPlatform, normalizePlatform, type Platform } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import { formatImageTransport, type ImageTransport } from "../oci/transport.ts";
import { openImageSource } from "./open-image-source.ts";
import type { Tools } from "./tools.ts";

/** One layer as it is stored, and the step of the history that made it, when there is one. */
export type InspectedLayer = {
  readonly digest: Digest;
  readonly diffId: Digest | undefined;
  readonly mediaType: string;
  readonly size: number;
  readonly createdBy: string | undefined;
};

/** What there is to know of an image without unpacking it. */
export type Inspection = {
  /** Of what was named: the index's where there is one. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly mediaType: string;
  readonly platform: string;
  /** Those that the index has images for; none where there is no index. */
  readonly platforms: readonly string[];
  readonly created: string | undefined;
  /** Bytes of the manifest, the config and the layers, as they are stored: each once. */
  readonly size: number;
  /** As in the config document: `Env`, `Cmd` and so on. */
  readonly config: JsonObject;
  readonly history: readonly JsonObject[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly layers: readonly InspectedLayer[];
};

/** Reads an image's facts where it lies; of an index those for `platform`, else for this machine, else its first. */
export async function inspectImage(
  transport: ImageTransport,
  tools: Tools,
  { platform }: { platform: Platform | undefined },
): Promise<Inspection> {
  const what = transport.kind === "registry" ? formatReference(transport.reference) : formatImageTransport(transport);
  const source = await openImageSource(transport, tools);
  try {
    const document = await chooseImage(source, { platform, what });
    if (document.manifest.kind === "index") throw new UserError(`${what} has an index inside its index.`);
    const config = await readConfig(source, { document, what });
    const image = readImage(document.manifest, { config, what });
    if (platform !== undefined && formatPlatform(platform) !== formatPlatform(image.platform) && !hasIndex(source)) {
      throw new UserError(
        `${what} has no image for ${formatPlatform(platform)}: it has ${formatPlatform(image.platform)}.`,
      );
    }
    return describe(image, { source, document });
  } finally {
    await source.close();
  }
}

function hasIndex({ root }: ImageSource): boolean {
  return root.manifest.kind === "index";
}

async function chooseImage(
  source: ImageSource,
  { platform, what }: { platform: Platform | undefined; what: string },
): Promise<ManifestDocument> {
  const { root } = source;
  if (root.manifest.kind === "image") return root;
  const machine = normalizePlatform({ os: "linux", architecture: process.arch });
  const wanted = platform ?? nearest(root.manifest, machine);
  return source.readManifest(selectPlatform(root.manifest, { platform: wanted, what }));
}

/** The platform itself when the index has an image for it, else that of the first image. */
function nearest(index: ImageIndex, platform: Platform): Platform {
  const available = platformsOf(index);
  const isThere = available.some((candidate) => formatPlatform(candidate) === formatPlatform(platform));
  return isThere ? platform : (available[0] ?? platform);
}

async function readConfig(
  source: ImageSource,
  { document, what }: { document: ManifestDocument; what: string },
): Promise<Uint8Array> {
  const { manifest } = document;
  if (manifest.kind === "index" || manifest.config.size > maximumManifestSize) {
    throw new UserError(`The config of ${what} is too large: more than ${maximumManifestSize} bytes.`);
  }
  return Buffer.concat(await Array.fromAsync(source.open(manifest.config)));
}

function describe(image: Image, { source, document }: { source: ImageSource; document: ManifestDocument }): Inspection {
  const { config, layers, annotations } = image;
  const { root } = source;
  const history = Array.isArray(config["history"]) ? config["history"].filter(isJsonObject) : [];
  const steps = history.filter((step) => step["empty_layer"] !== true);
  const diffIds = diffIdsOf(image);
  const { manifest } = document;
  const configSize = manifest.kind === "image" ? manifest.config.size : 0;
  return {
    digest: root.descriptor.digest,
    manifestDigest: document.descriptor.digest,
    mediaType: document.descriptor.mediaType,
    platform: formatPlatform(image.platform),
    platforms: root.manifest.kind === "index" ? platformsOf(root.manifest).map(formatPlatform) : [],
    created: textOf(config["created"]),
    size: document.descriptor.size + configSize + sizeOnce(layers),
    config: isJsonObject(config["config"]) ? config["config"] : {},
    history,
    annotations,
    layers: layers.map(({ digest, mediaType, size }, index) => {
      // A history that tells of another number of layers cannot be laid beside them.
      const step = steps.length === layers.length ? steps[index] : undefined;
      return { digest, diffId: diffIds[index], mediaType, size, createdBy: textOf(step?.["created_by"]) };
    }),
  };
}

/** A layer that comes twice is stored and sent once. */
function sizeOnce(layers: readonly Descriptor[]): number {
  const sizes = new Map(layers.map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
