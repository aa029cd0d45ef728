import { closeSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { UserError } from "../errors.ts";
import type { LocalImageSink, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import { type LayoutName, layoutEntries, layoutFile, renderLayoutIndex } from "../oci/layout-index.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { formatReference } from "../oci/reference.ts";
import { encodeTarHeader, tarEnd, tarPadding } from "../oci/tar-writer.ts";
import { verifiedChunks } from "../oci/verified-content.ts";
import { blobPath } from "./oci-layout-source.ts";
import { stagedPath, unwritable } from "./staged-path.ts";

/** What an archive is: for OCI tools, for `docker load`, or for both. */
export type ArchiveFormat = "oci" | "docker" | "both";

/**
 * Writes one image as a tar at `path`, in one pass, which appears when it is whole. The members' order is the order in
 * which they are begun; nothing in it tells when, where or by whom it was written. What is begun with a known size is
 * written beside what comes after it; what is produced has the end of the file for itself until it is there.
 */
export function openArchiveSink(
  path: string,
  { format, names }: { format: ArchiveFormat; names: readonly LayoutName[] },
): LocalImageSink {
  if (isFolder(path)) {
    throw new UserError(`Could not write ${path}: it is a folder, and an archive is a file.`, {
      hint: `To write an OCI layout into a folder: oci:${path}.`,
    });
  }
  const staged = stagedPath(path);
  const archive = openTarFile(staged, path);
  const written = new Map<Digest, string>();
  const begun = new Map<Digest, Promise<void>>();
  let producing: Promise<void> | undefined;
  let finished = false;
  const memberPath = (descriptor: Descriptor) =>
    format === "docker" ? dockerPath(descriptor) : blobPath(descriptor.digest);
  if (format !== "docker") for (const folder of ["blobs", "blobs/sha256"]) archive.addFolder(folder);

  const writeManifest = (document: ManifestDocument) => {
    const { digest } = document.descriptor;
    if (format === "docker" || written.has(digest)) return;
    archive.addFile(blobPath(digest), document.bytes);
    written.set(digest, blobPath(digest));
  };
  async function fill(descriptor: Descriptor, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { digest, size } = descriptor;
    if (written.has(digest)) return;
    const append = archive.reserve(memberPath(descriptor), size);
    for await (const chunk of verifiedChunks(chunks, { digest, size, resource: "the image" })) append(chunk);
    written.set(digest, memberPath(descriptor));
  }

  async function writeLater(descriptor: Descriptor, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    while (producing !== undefined) await producing;
    await fill(descriptor, chunks);
  }

  return {
    has: async ({ digest }) => written.has(digest),
    write(descriptor, chunks) {
      const { digest } = descriptor;
      const known = begun.get(digest);
      if (known !== undefined) return known;
      const writing = producing === undefined ? fill(descriptor, chunks) : writeLater(descriptor, chunks);
      begun.set(digest, writing);
      return writing;
    },
    async writeNew(produce) {
      while (producing !== undefined) await producing;
      const turn = Promise.withResolvers<void>();
      producing = turn.promise;
      try {
        archive.begin();
        const descriptor = await produce(archive.append);
        if (written.has(descriptor.digest) || begun.has(descriptor.digest)) {
          archive.drop();
          await begun.get(descriptor.digest);
        } else archive.end(memberPath(descriptor));
        written.set(descriptor.digest, memberPath(descriptor));
        return descriptor;
      } finally {
        producing = undefined;
        turn.resolve();
      }
    },
    writeManifest: async (document) => writeManifest(document),
    async finish(root) {
      writeManifest(root);
      if (format !== "docker") {
        archive.addFile("index.json", encode(renderLayoutIndex(layoutEntries(root.descriptor, names))));
        archive.addFile("oci-layout", encode(layoutFile));
      }
      // What is loaded is one image: an index has no place in Docker's format.
      if (format !== "oci" && root.manifest.kind === "image") {
        archive.addFile("manifest.json", encode(dockerManifest(root.manifest, { written, names })));
      }
      archive.close();
      renameSync(staged, path);
      finished = true;
    },
    async discard() {
      if (finished) return;
      archive.abandon();
      rmSync(staged, { force: true });
    },
  };
}

function dockerManifest(
  manifest: { readonly config: Descriptor; readonly layers: readonly Descriptor[] },
  { written, names }: { written: ReadonlyMap<Digest, string>; names: readonly LayoutName[] },
): string {
  const references = names.flatMap((name) => (name.kind === "reference" ? [formatReference(name.reference)] : []));
  const pathOf = ({ digest }: Descriptor) => written.get(digest) ?? "";
  const entry = { Config: pathOf(manifest.config), RepoTags: references, Layers: manifest.layers.map(pathOf) };
  return JSON.stringify([entry]);
}

function dockerPath({ mediaType, digest }: Descriptor): string {
  const isConfig = mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
  if (isConfig) return `${hexOf(digest)}.json`;
  const suffix = /gzip$/.test(mediaType) ? ".tar.gz" : /zstd$/.test(mediaType) ? ".tar.zst" : ".tar";
  return `${hexOf(digest)}${suffix}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A tar being written, whose members may become known by name and size only when they are there. */
function openTarFile(staged: string, path: string) {
  const file = openNew(staged, path);
  const opened = { file, path };
  let isOpen = true;
  const headerSize = 512;
  const common = { uid: 0, gid: 0, modified: 0 };
  let position = 0;
  let start = 0;
  const append = (bytes: Uint8Array) => {
    position += writeAll(opened, { bytes, position });
  };
  const end = (name: string) => {
    const size = position - start - headerSize;
    // Bytes of a fixed length for any size: the header has the place that was left for it.
    const header = encodeBlobHeader(name, size);
    writeAll(opened, { bytes: header, position: start });
    append(tarEnd.subarray(0, tarPadding(size)));
  };
  const begin = () => {
    start = position;
    position += headerSize;
  };
  return {
    begin,
    append,
    end,
    /** The place of a member of a known size, to be filled while others are written after it. */
    reserve: (name: string, size: number) => {
      const reserved = position;
      position += headerSize + size + tarPadding(size);
      writeAll(opened, { bytes: encodeBlobHeader(name, size), position: reserved });
      const end = reserved + headerSize + size;
      writeAll(opened, { bytes: tarEnd.subarray(0, tarPadding(size)), position: end });
      let next = reserved + headerSize;
      return (bytes: Uint8Array) => {
        next += writeAll(opened, { bytes, position: next });
      };
    },
    drop: () => {
      position = start;
    },
    addFolder: (name: string) => append(encodeTarHeader({ ...common, kind: "directory", path: name, mode: 0o755 })),
    addFile: (name: string, bytes: Uint8Array) => {
      begin();
      append(bytes);
      end(name);
    },
    close: () => {
      append(tarEnd);
      // What was dropped last may have been longer than what came instead.
      ftruncateSync(file, position);
      isOpen = false;
      closeSync(file);
    },
    abandon: () => {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function openNew(staged: string, path: string): number {
  try {
    return openSync(staged, "wx", 0o666);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** One block: sizes from 8 GiB in base-256, as GNU tar writes them, since pax records would take more blocks. */
function encodeBlobHeader(path: string, size: number): Uint8Array {
  const member = { kind: "file", path, mode: 0o644, uid: 0, gid: 0, modified: 0, capability: undefined } as const;
  if (size <= 0o77777777777) return encodeTarHeader({ ...member, size });
  const block = encodeTarHeader({ ...member, size: 0 });
  let rest = size;
  for (let index = 135; index > 124; index--) {
    block[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  block[124] = 0x80;
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  block.set(encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return block;
}

function writeAll(
  { file, path }: { file: number; path: string },
  { bytes, position }: { bytes: Uint8Array; position: number },
): number {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(file, bytes, done, bytes.length - done, position + done);
    }
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return bytes.length;
}
