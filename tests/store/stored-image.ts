import type { Descriptor } from "../../src/oci/descriptor.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { documentsOf, emptyImage } from "../../src/oci/image.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import type { ImageOrigin } from "../../src/oci/store-entries.ts";
import type { ImageStore } from "../../src/store/image-store.ts";

/** What a test's image is to be; images of other labels have another layer. */
export interface StoredImageParts {
  readonly names: readonly string[];
  readonly label?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly architecture?: string;
  readonly origin?: ImageOrigin;
}

/** Writes an image of one layer, `layer of <label>`, into a store; gives its manifest's descriptor. */
export async function writeStoredImage(store: ImageStore, parts: StoredImageParts): Promise<Descriptor> {
  const { names, label = "image", labels = {}, architecture = "amd64", origin } = parts;
  const sink = await store.openSink({ names: names.map(parseImageReference), origin });
  try {
    const bytes = new TextEncoder().encode(`layer of ${label}`);
    const layer = { mediaType: mediaTypes.ociLayer, digest: sha256Of(bytes), size: bytes.length, annotations: {} };
    await sink.write(layer, chunkOf(bytes));
    const start = emptyImage({ os: "linux", architecture, variant: undefined }, "2024-01-01T00:00:00Z");
    const config = {
      ...start.config,
      config: { Labels: { ...labels }, User: "me", Env: ["A=b=c"], Entrypoint: ["/init"] },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    };
    const documents = documentsOf({ ...start, config, layers: [layer] });
    await sink.write(documents.config.descriptor, chunkOf(documents.config.bytes));
    await sink.finish(documents.manifest);
    return documents.manifest.descriptor;
  } finally {
    await sink.discard();
  }
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
