import { applySettings, type ImageSettings } from "../assembly/image-settings.ts";
import { appendLayers, type HistoryEntry, type NewLayer } from "../oci/append-layers.ts";
import type { ImageSource, LocalImageSink } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { documentsOf, type Image, indexDocument } from "../oci/image.ts";
import type { Platform } from "../oci/platform.ts";
import type { NewImage } from "./deliver-image.ts";
import { beginBaseLayers } from "./write-base-layers.ts";

/** What is put on images, and where they are written. */
export type Writing = {
  readonly layers: readonly NewLayer[];
  readonly base: ImageSource | undefined;
  readonly sink: LocalImageSink;
  readonly settings: ImageSettings;
  readonly annotations: Readonly<Record<string, string>>;
  readonly history: HistoryEntry;
};

const unaborted = new AbortController().signal;

/** Writes the images with what is put on them and what of their own is not there yet, one by itself or several with an index, but for the root document. */
export async function writeImages(images: readonly Image[], writing: Writing): Promise<NewImage> {
  const { layers, sink, settings, annotations, history } = writing;
  const entries: { manifest: Descriptor; platform: Platform }[] = [];
  const blobs = new Map<string, Descriptor>();
  const finished = images.map((start) => {
    const settled = applySettings({ ...start, annotations: { ...start.annotations, ...annotations } }, settings);
    const image = appendLayers(settled, layers, history);
    return { image, ...documentsOf(image) };
  });
  await (await beginBaseLayers(images, { base: writing.base, sink, signal: unaborted })).done;
  for (const { image, config, manifest } of finished) {
    await sink.write(config.descriptor, chunkOf(config.bytes));
    if (finished.length > 1) await sink.writeManifest(manifest);
    for (const blob of [...image.layers, config.descriptor, manifest.descriptor]) blobs.set(blob.digest, blob);
    entries.push({ manifest: manifest.descriptor, platform: image.platform });
  }
  const [only, ...others] = finished;
  const root = only === undefined || others.length > 0 ? indexDocument(entries, annotations) : only.manifest;
  blobs.set(root.descriptor.digest, root.descriptor);
  const size = [...blobs.values()].reduce((sum, blob) => sum + blob.size, 0);
  return { root, layers: only?.image.layers ?? [], size };
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
