import { formatEpoch } from "../assembly/epoch.ts";
import { readAllImages, selectImage } from "../assembly/select-image.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import type { ImageSource, LocalImageSink } from "../oci/content.ts";
import { emptyImage, type Image } from "../oci/image.ts";
import { formatPlatform, normalizePlatform, type Platform } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";
import { formatImageTransport, type ImageTransport } from "../oci/transport.ts";
import type { AssembledImage, AssembleRequest } from "./assemble-request.ts";
import { deliverImage } from "./deliver-image.ts";
import { openImageSource } from "./open-image-source.ts";
import type { Tools } from "./tools.ts";
import { beginBaseLayers } from "./write-base-layers.ts";
import { type LayerContent, readContent, writeContentLayer } from "./write-content-layer.ts";
import { writeImages } from "./write-images.ts";

/**
 * Puts folders and archives as layers on a base, without an engine: the same bytes for the same content anywhere.
 * Whatever fails, nothing half-written is left.
 */
export async function assembleImage(
  request: AssembleRequest,
  { observer }: { observer: TransferObserver },
  tools: Tools,
): Promise<AssembledImage> {
  const contents = request.contents.map((written) => readContent(written, request, tools));
  const base = request.base.kind === "scratch" ? undefined : await openImageSource(request.base, tools);
  try {
    const images = await startImages(base, request);
    const write = async (sink: LocalImageSink) => {
      const layers = await writeLayers(contents, { images, base, request, sink }, tools);
      const { settings, annotations } = request;
      const history = { created: formatEpoch(request.epoch), createdBy: request.createdBy };
      return writeImages(images, { layers, base, sink, settings, annotations, history });
    };
    const { root, layers, size, tags, path } = await deliverImage(request, { base, observer, write }, tools);
    return {
      digest: root.descriptor.digest,
      size,
      platforms: images.map(({ platform }) => formatPlatform(platform)),
      layers: layers.map((layer) => ({ digest: layer.digest, size: layer.size, mediaType: layer.mediaType })),
      tags,
      path,
    };
  } finally {
    await base?.close();
  }
}

/** The new layers, while the base's arrive: neither waits for the other, and when one fails both end. */
async function writeLayers(
  contents: readonly LayerContent[],
  place: {
    readonly images: readonly Image[];
    readonly base: ImageSource | undefined;
    readonly request: AssembleRequest;
    readonly sink: LocalImageSink;
  },
  tools: Tools,
): Promise<NewLayer[]> {
  const { images, base, request, sink } = place;
  const failure = new AbortController();
  const signal = AbortSignal.any([tools.interruption.signal, failure.signal]);
  const failing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (thrown) {
      failure.abort(thrown);
      throw thrown;
    }
  };
  const { done } = await beginBaseLayers(images, { base, sink, signal });
  const produce = async () => {
    const layers: NewLayer[] = [];
    for (const content of contents) layers.push(await writeContentLayer(content, { request, sink, signal }));
    return layers;
  };
  const [layers] = await Promise.allSettled([failing(produce()), failing(done)]);
  if (failure.signal.aborted) throw failure.signal.reason;
  if (layers.status === "rejected") throw layers.reason;
  return layers.value;
}

/** What the layers go on, for each platform. */
async function startImages(base: ImageSource | undefined, request: AssembleRequest): Promise<Image[]> {
  const { platforms } = request;
  if (base === undefined) {
    const machine = normalizePlatform({ os: "linux", architecture: process.arch });
    return (platforms ?? [machine]).map((platform) => emptyImage(platform, formatEpoch(request.epoch)));
  }
  const what = describeBase(request.base);
  if (platforms === undefined) return readAllImages(base, what);
  return Promise.all(platforms.map((platform: Platform) => selectImage(base, { platform, what })));
}

function describeBase(base: ImageTransport): string {
  return `The base ${base.kind === "registry" ? formatReference(base.reference) : formatImageTransport(base)}`;
}
