import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { ImageSource } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { createDigester, type Digest, sha256Of } from "../oci/digest.ts";
import { documentsOf, maximumManifestSize, readImage } from "../oci/image.ts";
import { readJsonDocument } from "../oci/json-document.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { formatReference, parseImageReference } from "../oci/reference.ts";
import { verifiedChunks } from "../oci/verified-content.ts";
import type { ContentFiles } from "./content-files.ts";

const manifestSchema = v.array(
  v.object({ Config: v.string(), RepoTags: v.nullish(v.array(v.string()), []), Layers: v.array(v.string()) }),
);
type Entry = v.InferOutput<typeof manifestSchema>[number];

/** The file that `docker load` reads first. */
export const dockerManifestFile = "manifest.json";

/**
 * The image called `name`, or the only one, of what `docker save` writes; each layer is read once to know its digest.
 * Throws a UserError when the files are no such archive or the image is not there.
 */
export async function openDockerArchiveSource(files: ContentFiles, name: string | undefined): Promise<ImageSource> {
  const listing = await files.read(dockerManifestFile, maximumManifestSize);
  if (listing === undefined) {
    throw new UserError(`${files.what} is no image archive: it has neither an index.json nor a manifest.json.`);
  }
  const what = `The manifest.json of ${files.what}`;
  const entry = selectImage(readJsonDocument(listing, { schema: manifestSchema, what }), { name, what: files.what });
  const config = await files.read(entry.Config, maximumManifestSize);
  if (config === undefined) throw new UserError(`${files.what} is incomplete: it has no ${entry.Config}.`);
  const paths = new Map<Digest, string>([[sha256Of(config), entry.Config]]);
  const layers: Descriptor[] = [];
  for (const path of entry.Layers) {
    const layer = await describeLayer(files, path);
    paths.set(layer.digest, path);
    layers.push(layer);
  }
  const descriptor = {
    mediaType: mediaTypes.ociConfig,
    digest: sha256Of(config),
    size: config.length,
    annotations: {},
  };
  const image = readImage(
    {
      kind: "image",
      mediaType: mediaTypes.ociManifest,
      artifactType: undefined,
      config: descriptor,
      layers,
      annotations: {},
    },
    { config, what: files.what },
  );
  return {
    root: documentsOf(image, { descriptor, bytes: config }).manifest,
    readManifest: async ({ digest }) => {
      throw new UserError(`${files.what} has no manifest ${digest}.`);
    },
    open: (wanted) => openBlob(files, { wanted, path: paths.get(wanted.digest) }),
    repository: undefined,
    close: files.close,
  };
}

function selectImage(entries: readonly Entry[], { name, what }: { name: string | undefined; what: string }): Entry {
  const [first, ...others] = entries;
  if (first === undefined) throw new UserError(`${what} holds no image.`);
  const names = entries.flatMap(({ RepoTags }) => RepoTags).join(", ") || "no names";
  if (name === undefined) {
    if (others.length === 0) return first;
    throw new UserError(`${what} holds ${entries.length} images; say which one: ${names}.`, {
      hint: "Add its reference: docker-archive:FILE:REFERENCE.",
    });
  }
  const wanted = formatReference(parseImageReference(name));
  const found = entries.find(({ RepoTags }) =>
    RepoTags.some((tag) => formatReference(parseImageReference(tag)) === wanted),
  );
  if (found === undefined) throw new UserError(`${what} has no image called ${JSON.stringify(name)}: it has ${names}.`);
  return found;
}

async function describeLayer(files: ContentFiles, path: string): Promise<Descriptor> {
  const found = await files.chunks(path);
  if (found === undefined) throw new UserError(`${files.what} is incomplete: it has no ${path}.`);
  const digester = createDigester();
  let mediaType: string | undefined;
  for await (const chunk of found.chunks) {
    mediaType ??= layerTypeOf(chunk);
    digester.update(chunk);
  }
  return { mediaType: mediaType ?? mediaTypes.ociLayer, digest: digester.digest(), size: found.size, annotations: {} };
}

function layerTypeOf(start: Uint8Array): string {
  if (start[0] === 0x1f && start[1] === 0x8b) return mediaTypes.ociLayerGzip;
  const zstd = start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd;
  return zstd ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer;
}

async function* openBlob(
  files: ContentFiles,
  { wanted, path }: { wanted: Descriptor; path: string | undefined },
): AsyncGenerator<Uint8Array> {
  const found = path === undefined ? undefined : await files.chunks(path);
  if (found === undefined) throw new UserError(`${files.what} is incomplete: it has no blob ${wanted.digest}.`);
  yield* verifiedChunks(found.chunks, { digest: wanted.digest, size: wanted.size, resource: files.what });
}
