import { UserError } from "../errors.ts";
import type { ImageSink, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { checkDigest, type ImageReference } from "../oci/reference.ts";
import type { RegistryWriter } from "./registry-writer.ts";
import type { UploadOutcome } from "./upload-blob.ts";

/** Where in a registry an image is written, and under which tags. */
export type RegistryDestination = {
  /** One repository; a reference with a digest wants the image to have it. */
  readonly references: readonly [ImageReference, ...ImageReference[]];
  /** Where the image comes from, when that is a registry: blobs are mounted from there in the same registry. */
  readonly from?: Pick<ImageReference, "domain" | "repository"> | undefined;
  /** Told how each blob came to be there. */
  readonly onBlob?: (blob: Descriptor, outcome: UploadOutcome) => void;
};

/**
 * Writes an image to a registry. Chunks that are written should be iterable more than once: what fails is sent again.
 * What was uploaded stays when the image is not finished, where nothing names it, and the registry removes it in time.
 */
export function openRegistrySink(
  client: Pick<RegistryWriter, "uploadBlob" | "hasManifest" | "putManifest">,
  destination: RegistryDestination,
): ImageSink {
  const { references, from, onBlob } = destination;
  const [{ domain, repository }] = references;
  const place = { domain, repository };
  if (references.some((reference) => reference.domain !== domain || reference.repository !== repository)) {
    throw new TypeError("A registry sink writes to one repository.");
  }
  const mountable = from?.domain === domain && from.repository !== repository ? from.repository : undefined;
  return {
    // Asked for when it is uploaded, in the same breath.
    has: async () => false,
    async write(descriptor, chunks) {
      const { digest, size } = descriptor;
      const outcome = await client.uploadBlob(place, { digest, size, open: reopened(chunks), from: mountable });
      onBlob?.(descriptor, outcome);
    },
    async writeManifest({ descriptor, bytes }) {
      if (await client.hasManifest(place, descriptor.digest)) return;
      await client.putManifest({ ...place, tag: undefined }, { bytes, mediaType: descriptor.mediaType });
    },
    async finish({ descriptor, bytes }: ManifestDocument) {
      for (const reference of references) checkDigest(reference, descriptor.digest);
      for (const reference of references) {
        const tag = reference.digest === undefined ? (reference.tag ?? "latest") : reference.tag;
        await client.putManifest({ ...place, tag }, { bytes, mediaType: descriptor.mediaType });
      }
    },
    discard: async () => {},
  };
}

function reopened(chunks: AsyncIterable<Uint8Array>): () => AsyncIterable<Uint8Array> {
  let opened = 0;
  return () => {
    opened += 1;
    const isOnce = opened > 1 && Object.is(chunks[Symbol.asyncIterator](), chunks);
    if (isOnce) throw new UserError("The upload broke off, and its content cannot be read a second time.");
    return chunks;
  };
}
