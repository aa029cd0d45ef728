import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import type { ImageSource, ManifestDocument } from "../oci/content.ts";
import type { ImageReference } from "../oci/reference.ts";
import type { ImageTransport } from "../oci/transport.ts";
import type { RegistryClient } from "../registry/registry-client.ts";
import { type ContentFiles, openArchive, openFolder } from "../store/content-files.ts";
import { dockerManifestFile, openDockerArchiveSource } from "../store/docker-archive-source.ts";
import { openLayoutSource } from "../store/oci-layout-source.ts";
import type { LocalOutput } from "./open-image-sink.ts";
import { openStore } from "./open-image-store.ts";
import { openRegistry } from "./open-registry.ts";
import { openEngineSource } from "./save-from-engine.ts";
import type { Tools } from "./tools.ts";

/** Opens where an image lies on disk; throws a UserError when it is not there. Close it after use. */
export async function openLocalSource(transport: LocalOutput, tools: Tools): Promise<ImageSource> {
  if (transport.kind === "store") return openStore(tools).openSource(transport.reference);
  const path = resolve(tools.workingDirectory, transport.path);
  switch (transport.kind) {
    case "oci-layout":
      if (!existsSync(path)) {
        throw new UserError(`There is no folder ${path} to read an image from.`, {
          hint: "Name the folder of an OCI image layout: oci:DIR, or oci:DIR:TAG.",
        });
      }
      return openLayoutSource(openFolder(path), transport.name);
    case "oci-archive":
      return inArchive(path, (files) => openLayoutSource(files, transport.name));
    case "docker-archive":
      return inArchive(path, (files) => openDockerArchiveSource(files, transport.name));
    case "archive":
      return inArchive(path, async (files) => {
        const isDocker =
          (await files.chunks("index.json")) === undefined && (await files.chunks(dockerManifestFile)) !== undefined;
        return isDocker ? openDockerArchiveSource(files, undefined) : openLayoutSource(files, undefined);
      });
  }
}

async function inArchive(path: string, open: (files: ContentFiles) => Promise<ImageSource>): Promise<ImageSource> {
  const files = await openArchive(path);
  try {
    return await open(files);
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** Opens where an image lies, on disk or in a registry. */
export async function openImageSource(transport: ImageTransport, tools: Tools): Promise<ImageSource> {
  switch (transport.kind) {
    case "oci-layout":
    case "oci-archive":
    case "docker-archive":
    case "archive":
    case "store":
      return openLocalSource(transport, tools);
    case "registry":
      return openRegistrySource(openRegistry(tools), transport.reference);
    case "engine":
      return openEngineSource(transport.name, tools);
    case "scratch":
      throw new UserError("There is nothing to read in scratch: it is the empty image.");
  }
}

/** An image where it lies in a registry. */
export async function openRegistrySource(client: RegistryClient, reference: ImageReference): Promise<ImageSource> {
  const { domain, repository } = reference;
  const place = { domain, repository };
  const fetchDocument = async (wanted: ImageReference): Promise<ManifestDocument> => {
    const { bytes, digest, mediaType, manifest } = await client.manifest(wanted);
    return { descriptor: { mediaType, digest, size: bytes.length, annotations: {} }, bytes, manifest };
  };
  return {
    root: await fetchDocument(reference),
    readManifest: ({ digest }) => fetchDocument({ ...place, tag: undefined, digest }),
    open: (descriptor) => client.blobChunks(place, descriptor),
    repository: place,
    close: async () => {},
  };
}
