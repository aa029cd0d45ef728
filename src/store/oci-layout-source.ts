import { UserError } from "../errors.ts";
import type { ImageSource, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, hexOf, sha256Of } from "../oci/digest.ts";
import { maximumManifestSize } from "../oci/image.ts";
import { checkLayoutFile, describeLayoutIndex, readLayoutIndex, selectEntry } from "../oci/layout-index.ts";
import { parseManifest } from "../oci/manifest.ts";
import { verifiedChunks, verifyDigest } from "../oci/verified-content.ts";
import type { ContentFiles } from "./content-files.ts";

/**
 * The image that `name` leads to in an OCI layout, or its only one; whatever is read from it is checked against its
 * digest. Throws a UserError when the files are no layout or the image is not there.
 */
export async function openLayoutSource(files: ContentFiles, name: string | undefined): Promise<ImageSource> {
  const layout = await files.read("oci-layout", 4096);
  if (layout === undefined) throw new UserError(`${files.what} is no OCI image layout: it has no oci-layout file.`);
  checkLayoutFile(layout, `${files.what}/oci-layout`);
  const index = await files.read("index.json", maximumManifestSize);
  if (index === undefined) throw new UserError(`${files.what} is no OCI image layout: it has no index.json.`);
  const entries = readLayoutIndex(index, `${files.what}/index.json`);
  const entry = selectEntry(entries, { name, what: files.what });
  return sourceOf(files, entry === undefined ? indexItself(index, files.what) : await readManifestFile(files, entry));
}

/** The image or index of a layout that a descriptor names; its content is checked as above. */
export async function openLayoutImage(files: ContentFiles, root: Descriptor): Promise<ImageSource> {
  return sourceOf(files, await readManifestFile(files, root));
}

function sourceOf(files: ContentFiles, root: ManifestDocument): ImageSource {
  return {
    root,
    readManifest: (descriptor) => readManifestFile(files, descriptor),
    open: (descriptor) => openBlob(files, descriptor),
    repository: undefined,
    close: files.close,
  };
}

function indexItself(bytes: Uint8Array, what: string): ManifestDocument {
  return {
    descriptor: describeLayoutIndex(bytes),
    bytes,
    manifest: parseManifest(bytes, { what: `${what}/index.json` }),
  };
}

async function readManifestFile(files: ContentFiles, descriptor: Descriptor): Promise<ManifestDocument> {
  const { digest, mediaType, size, annotations } = descriptor;
  const bytes = await files.read(blobPath(digest), maximumManifestSize);
  if (bytes === undefined) throw missing(files, digest);
  verifyDigest(sha256Of(bytes), { digest, resource: files.what });
  if (bytes.length !== size) {
    throw new UserError(`${files.what} is damaged: ${digest} has ${bytes.length} bytes, its descriptor says ${size}.`);
  }
  const manifest = parseManifest(bytes, { what: `The manifest ${digest} of ${files.what}`, contentType: mediaType });
  return { descriptor: { digest, mediaType: manifest.mediaType, size, annotations }, bytes, manifest };
}

async function* openBlob(files: ContentFiles, { digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
  const found = await files.chunks(blobPath(digest));
  if (found === undefined) throw missing(files, digest);
  yield* verifiedChunks(found.chunks, { digest, size, resource: files.what });
}

/** Where a layout has a blob. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function missing(files: ContentFiles, digest: Digest): UserError {
  return new UserError(`${files.what} is incomplete: it has no blob ${digest}.`);
}
