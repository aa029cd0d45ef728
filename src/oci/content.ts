import type { Descriptor } from "./descriptor.ts";
import type { Manifest } from "./manifest.ts";
import type { ImageReference } from "./reference.ts";

/** Reads content by its descriptor; a stream throws at its end at the latest when digest or size differ. */
export interface BlobSource {
  readonly open: (descriptor: Descriptor) => AsyncIterable<Uint8Array>;
}

/** Takes content in; what is written is there whole and verified, or not at all. */
export interface BlobSink {
  readonly has: (descriptor: Descriptor) => Promise<boolean>;
  /** The chunks may go unread when the sink gets the same content more cheaply. */
  readonly write: (descriptor: Descriptor, chunks: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** A manifest or index with the very bytes that its digest names. */
export type ManifestDocument = {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
};

/** An image, or an index of images, where it lies. */
export interface ImageSource extends BlobSource {
  /** What the source's name leads to. */
  readonly root: ManifestDocument;
  /** The document of an entry of an index; throws a UserError when it is absent or not what its digest names. */
  readonly readManifest: (descriptor: Descriptor) => Promise<ManifestDocument>;
  /** The repository that blobs may be mounted from, when the source is a registry. */
  readonly repository: Pick<ImageReference, "domain" | "repository"> | undefined;
  /** Gives back what reading took: open files, temporary folders. */
  readonly close: () => Promise<void>;
}

/** Where one image or index is written: blobs, then manifests from the leaves up, the root last. */
export interface ImageSink extends BlobSink {
  /** Takes in a manifest that an index refers to. */
  readonly writeManifest: (document: ManifestDocument) => Promise<void>;
  /** Takes in the root and gives it its names: from here on the image can be seen. */
  readonly finish: (root: ManifestDocument) => Promise<void>;
  /** Takes back what was written without being finished; does nothing after `finish`. */
  readonly discard: () => Promise<void>;
}

/** A sink that also takes content whose digest is only known once it is written. */
export interface LocalImageSink extends ImageSink {
  /** `produce` hands over the bytes in order and resolves to what they turned out to be. */
  readonly writeNew: (produce: (write: (bytes: Uint8Array) => void) => Promise<Descriptor>) => Promise<Descriptor>;
}
