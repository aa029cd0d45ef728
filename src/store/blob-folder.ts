import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LocalImageSink, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { verifiedChunks } from "../oci/verified-content.ts";
import { blobPath } from "./oci-layout-source.ts";
import { unwritable } from "./staged-path.ts";

/** Writes a layout's blobs: each appears at once and whole. */
export interface BlobFolder extends Pick<LocalImageSink, "has" | "write" | "writeNew" | "writeManifest"> {
  /** Takes away what was being written. */
  readonly discard: () => void;
}

/** The blobs of the layout at `root`; what is not whole yet lies in `staging`, on the same file system. Failures name `what`. */
export function openBlobFolder(root: string, { staging, what }: { staging: string; what: string }): BlobFolder {
  const partials = new Set<string>();
  mkdirSync(dirname(join(root, blobPath(`sha256:${"0".repeat(64)}`))), { recursive: true });

  // What a crash of the machine cut off has its name, and not its size.
  const has = ({ digest, size }: Descriptor) =>
    statSync(join(root, blobPath(digest)), { throwIfNoEntry: false })?.size === size;

  const writing = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw unwritable(what, cause);
    }
  };

  async function place(fill: (write: (bytes: Uint8Array) => void) => Promise<Descriptor>): Promise<Descriptor> {
    const partial = join(staging, `.${randomUUID()}.partial`);
    partials.add(partial);
    const file = writing(() => openSync(partial, "wx", 0o666));
    let descriptor: Descriptor;
    try {
      descriptor = await fill((bytes) =>
        writing(() => {
          for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
        }),
      );
    } finally {
      closeSync(file);
    }
    renameSync(partial, join(root, blobPath(descriptor.digest)));
    partials.delete(partial);
    return descriptor;
  }

  return {
    has: async (descriptor) => has(descriptor),
    async write(descriptor, chunks) {
      if (has(descriptor)) return;
      const { digest, size } = descriptor;
      await place(async (write) => {
        for await (const chunk of verifiedChunks(chunks, { digest, size, resource: "the image" })) write(chunk);
        return descriptor;
      });
    },
    writeNew: place,
    async writeManifest({ descriptor, bytes }: ManifestDocument) {
      if (has(descriptor)) return;
      await place(async (write) => {
        write(bytes);
        return descriptor;
      });
    },
    discard() {
      for (const partial of partials) rmSync(partial, { force: true });
    },
  };
}
