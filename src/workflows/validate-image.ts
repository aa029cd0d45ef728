import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import { documentKindOf } from "../oci/media-types.ts";
import type { ImageReference } from "../oci/reference.ts";
import type { ImageTransport } from "../oci/transport.ts";
import type { Fault } from "../oci/validation/fault.ts";
import { createTarScan } from "../oci/validation/tar-scan.ts";
import type { RegistryClient } from "../registry/registry-client.ts";
import { type ContentFiles, openArchive, openFolder } from "../store/content-files.ts";
import { dockerManifestFile } from "../store/docker-archive-source.ts";
import { createContentCheck, type OpenContent } from "../store/validate-contents.ts";
import { validateDockerArchive } from "../store/validate-docker-archive.ts";
import { validateLayout } from "../store/validate-layout.ts";
import { openStore } from "./open-image-store.ts";
import { openRegistry } from "./open-registry.ts";
import { withSavedImage } from "./save-from-engine.ts";
import type { Tools } from "./tools.ts";

/** What a validation looked at, and everything that it found wrong. */
export type Validation = {
  readonly faults: readonly Fault[];
  readonly manifests: number;
  readonly layers: number;
};

/** Checks all there is to check of an image where it lies; throws a UserError when there is nothing to look at. */
export async function validateImage(transport: ImageTransport, tools: Tools): Promise<Validation> {
  const path = "path" in transport ? resolve(tools.workingDirectory, transport.path) : "";
  switch (transport.kind) {
    case "oci-layout":
      return summary([await validateLayout(openFolder(path), transport.name)]);
    case "oci-archive":
      return validateArchive(path, async (files) => [await validateLayout(files, transport.name)]);
    case "docker-archive":
      return validateArchive(path, async (files) => [await validateDockerArchive(files)]);
    case "archive":
      return validateArchive(path, validateEither);
    case "registry":
      return validateRemote(openRegistry(tools), transport.reference);
    case "engine":
      return withSavedImage(transport.name, tools, (saved) => validateArchive(saved, validateEither));
    case "store":
      return validateStored(transport.reference, tools);
    case "scratch":
      throw new UserError("There is nothing to validate in scratch: it is the empty image.");
  }
}

/** What the name leads to, held while it is read. */
async function validateStored(reference: ImageReference, tools: Tools): Promise<Validation> {
  const store = openStore(tools);
  const source = await store.openSource(reference);
  try {
    const files = { ...openFolder(store.folder), what: "cooper's store" };
    return summary([await validateLayout(files, source.root.descriptor.digest)]);
  } finally {
    await source.close();
  }
}

type Part = { readonly faults: readonly Fault[]; readonly counted: { manifests: number; layers: number } };

function summary(parts: readonly Part[]): Validation {
  const [first] = parts;
  const faults = new Map(parts.flatMap((part) => part.faults).map((fault) => [JSON.stringify(fault), fault]));
  return { faults: [...faults.values()], manifests: 0, layers: 0, ...first?.counted };
}

async function validateArchive(path: string, validate: (files: ContentFiles) => Promise<Part[]>): Promise<Validation> {
  const scan = createTarScan(path, { entries: false });
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) scan.push(chunk);
  } catch (cause) {
    throw new UserError(`Could not read the archive ${path}: ${messageOf(cause)}.`, { cause });
  }
  const damage: Part = { faults: scan.end(), counted: { manifests: 0, layers: 0 } };
  try {
    const files = await openArchive(path);
    try {
      const parts = await validate(files);
      return summary([...parts, damage]);
    } finally {
      await files.close();
    }
  } catch (thrown) {
    // What cannot even be listed was found damaged already.
    if (damage.faults.length > 0 && thrown instanceof UserError) return summary([damage]);
    throw thrown;
  }
}

/** A tar may be a layout, what docker loads, or both in one. */
async function validateEither(files: ContentFiles): Promise<Part[]> {
  const isDocker = (await files.chunks(dockerManifestFile)) !== undefined;
  const isLayout = (await files.chunks("index.json")) !== undefined || (await files.chunks("oci-layout")) !== undefined;
  return [
    ...(isLayout || !isDocker ? [await validateLayout(files, undefined)] : []),
    ...(isDocker ? [await validateDockerArchive(files)] : []),
  ];
}

async function validateRemote(
  client: Pick<RegistryClient, "manifest" | "blobChunks">,
  reference: ImageReference,
): Promise<Validation> {
  const { domain, repository } = reference;
  const root = await client.manifest(reference);
  const open: OpenContent = async ({ digest, size, mediaType }) => {
    if (documentKindOf(mediaType) === "unknown") {
      return client.blobChunks({ domain, repository }, { digest, size, mediaType, annotations: {} });
    }
    const { bytes } = await client.manifest({ domain, repository, tag: undefined, digest });
    return chunksOf(bytes);
  };
  const content = createContentCheck(open);
  await content.check({ mediaType: root.mediaType, digest: root.digest, size: root.bytes.length });
  return summary([content]);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
