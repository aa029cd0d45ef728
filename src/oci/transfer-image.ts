import type { ImageSink, ImageSource, ManifestDocument } from "./content.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";

/** What a transfer tells while it goes on. */
export type TransferObserver = {
  /** Everything that the image consists of, before anything is written. */
  readonly found: (blobs: readonly Descriptor[]) => void;
  /** So many more bytes of a blob were read from the source; more than it has when it had to be read again. */
  readonly passed: (blob: Descriptor, bytes: number) => void;
  readonly done: (blob: Descriptor) => void;
};

/** What an image consists of: manifests from the leaves up, without the root, and blobs, each once. */
export type ImageContents = { readonly manifests: readonly ManifestDocument[]; readonly blobs: readonly Descriptor[] };

/** Reads the manifests of an image or index, and lists what they name. */
export async function listContents(source: ImageSource, root: ManifestDocument): Promise<ImageContents> {
  const manifests = new Map<Digest, ManifestDocument>();
  const blobs = new Map<Digest, Descriptor>();
  async function visit({ manifest }: ManifestDocument): Promise<void> {
    if (manifest.kind === "image") {
      for (const blob of [manifest.config, ...manifest.layers]) if (!isForeign(blob)) blobs.set(blob.digest, blob);
      return;
    }
    for (const entry of manifest.manifests) {
      if (manifests.has(entry.digest)) continue;
      const child = await source.readManifest(entry);
      await visit(child);
      manifests.set(entry.digest, child);
    }
  }
  await visit(root);
  return { manifests: [...manifests.values()], blobs: [...blobs.values()] };
}

/**
 * Copies `root`, which the source has, byte by byte, with `concurrency` blobs at a time; what the sink has already is
 * not read. The image can be seen once all of it is there.
 */
export async function transferImage(
  source: ImageSource,
  sink: ImageSink,
  options: { root: ManifestDocument; concurrency: number; observer: TransferObserver },
): Promise<ImageContents> {
  const { root, concurrency, observer } = options;
  const contents = await listContents(source, root);
  observer.found(contents.blobs);
  const waiting = [...contents.blobs];
  let failed = false;
  const work = async () => {
    for (let blob = waiting.shift(); blob !== undefined && !failed; blob = waiting.shift()) {
      if (!(await sink.has(blob))) await sink.write(blob, observed(source, blob, observer));
      observer.done(blob);
    }
  };
  const workers = Array.from({ length: concurrency }, async () => {
    try {
      await work();
    } catch (thrown) {
      failed = true;
      throw thrown;
    }
  });
  // All have ended before anything is thrown: none goes on writing while the sink is cleaned up.
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  for (const manifest of contents.manifests) await sink.writeManifest(manifest);
  await sink.finish(root);
  return contents;
}

/** Opens the blob anew whenever it is iterated: an upload that failed is read again. */
function observed(source: ImageSource, blob: Descriptor, { passed }: TransferObserver): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const chunk of source.open(blob)) {
        yield chunk;
        passed(blob, chunk.length);
      }
    },
  };
}

// What such layers hold may not be passed on: whoever wants them has their addresses.
function isForeign({ mediaType }: Descriptor): boolean {
  return /\.(?:nondistributable|foreign)\./.test(mediaType);
}
