import { selectImage } from "../assembly/select-image.ts";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { ImageSink, ImageSource, ManifestDocument } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import { platformsOf } from "../oci/manifest.ts";
import { narrowIndex } from "../oci/narrow-index.ts";
import { formatPlatform, type Platform, parsePlatform } from "../oci/platform.ts";
import {
  checkDigest,
  formatName,
  formatReference,
  type ImageReference,
  parseImageReference,
} from "../oci/reference.ts";
import { groupByRepository, type RepositoryGroup } from "../oci/repository-groups.ts";
import type { ImageOrigin } from "../oci/store-entries.ts";
import { type ImageContents, type TransferObserver, transferImage } from "../oci/transfer-image.ts";
import { formatImageTransport, type ImageTransport } from "../oci/transport.ts";
import { openRegistrySink } from "../registry/registry-sink.ts";
import type { RegistryWriter } from "../registry/registry-writer.ts";
import { cacheDirectory } from "../store/directories.ts";
import { loadIntoEngine } from "./load-into-engine.ts";
import { defaultPlatform } from "./look-up-images.ts";
import { isLocalOutput, type LocalOutput, openLocalSink } from "./open-image-sink.ts";
import { openImageSource } from "./open-image-source.ts";
import { openRegistry } from "./open-registry.ts";
import type { Tools } from "./tools.ts";

/** An image to be copied. */
export type CopyRequest = {
  readonly source: ImageTransport;
  readonly destination: ImageTransport;
  /** More names for it, beside what the destination says. */
  readonly references: readonly ImageReference[];
  /** Which of its platforms; when there are none here, into cooper's store this machine's, and everywhere else all. */
  readonly platforms: readonly Platform[] | "all";
  readonly dockerPath: string | undefined;
};

/** What was copied, and how its blobs came to be at the destination. */
export type CopiedImage = {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of all its documents and blobs. */
  readonly size: number;
  /** Those of an index; none for a single image. */
  readonly platforms: readonly string[];
  /** How many blobs it has, in all repositories together when it goes to several. */
  readonly blobs: number;
  /** Of these, those that a registry had already or took from another repository. */
  readonly present: number;
  readonly mounted: number;
};

type Work = {
  readonly request: CopyRequest;
  readonly source: ImageSource;
  readonly root: ManifestDocument;
  readonly observer: TransferObserver;
  readonly tools: Tools;
};

const concurrentBlobs = 4;

/** Copies an image from anywhere to anywhere, byte by byte: its digest stays, unless platforms are left out. */
export async function copyImage(
  request: CopyRequest,
  tools: Tools,
  { observer }: { observer: TransferObserver },
): Promise<CopiedImage> {
  const source = await openImageSource(request.source, tools);
  try {
    const root = await chooseRoot(source, request, tools);
    return await copyTo(request.destination, { request, source, root, observer, tools });
  } finally {
    await source.close();
  }
}

async function copyTo(destination: ImageTransport, work: Work): Promise<CopiedImage> {
  const { request, tools } = work;
  if (destination.kind === "registry") return copyToRegistry([destination.reference, ...request.references], work);
  if (isLocalOutput(destination)) return copyToDisk(destination, { ...work, references: request.references });
  if (destination.kind === "scratch") {
    throw new UserError("Nothing can be written to scratch: it is the empty image.");
  }
  const references = [parseImageReference(destination.name), ...request.references];
  const cache = cacheDirectory({ environment: tools.environment, homeDirectory: tools.homeDirectory });
  return withTemporaryDirectory(`${cache}/images`, async (directory) => {
    const staged: LocalOutput = { kind: "docker-archive", path: `${directory}/image.tar`, name: undefined };
    const copied = await copyToDisk(staged, { ...work, references });
    await loadIntoEngine(staged.path, { root: work.root, dockerPath: request.dockerPath }, tools);
    return copied;
  });
}

async function copyToDisk(
  output: LocalOutput,
  { references, ...work }: Work & { references: readonly ImageReference[] },
): Promise<CopiedImage> {
  const { source, root, observer, tools, request } = work;
  if (output.kind === "docker-archive" && root.manifest.kind === "index") {
    throw new UserError(`${describeSource(request)} is for several platforms, and Docker's format holds one image.`, {
      hint: `Choose one with --platform, for example --platform ${platformTexts(root)[0] ?? "linux/amd64"}.`,
    });
  }
  for (const reference of references) checkDigest(reference, root.descriptor.digest);
  const sink = await openLocalSink(output, { references, origin: originOf(request.source, source) }, tools);
  try {
    const contents = await transferImage(source, sink, { root, concurrency: concurrentBlobs, observer });
    return describe(root, { contents, present: 0, mounted: 0 });
  } finally {
    await sink.discard();
  }
}

/** What a registry had under the name, before platforms were left out. */
function originOf(transport: ImageTransport, { root }: ImageSource): ImageOrigin | undefined {
  if (transport.kind !== "registry") return undefined;
  return { name: formatName(transport.reference), digest: root.descriptor.digest };
}

async function copyToRegistry(references: readonly ImageReference[], work: Work): Promise<CopiedImage> {
  const { source, root, observer, tools } = work;
  for (const reference of references) checkDigest(reference, root.descriptor.digest);
  const client = openRegistry(tools);
  let [present, mounted] = [0, 0];
  let contents: ImageContents = { manifests: [], blobs: [] };
  const groups = groupByRepository(references);
  for (const group of groups) {
    const sink = registrySink(client, {
      group,
      source,
      onOutcome: (outcome) => {
        if (outcome === "present") present += 1;
        if (outcome === "mounted") mounted += 1;
      },
    });
    contents = await transferImage(source, sink, { root, concurrency: concurrentBlobs, observer });
  }
  const copied = describe(root, { contents, present, mounted });
  return { ...copied, blobs: copied.blobs * groups.length };
}

function registrySink(
  client: RegistryWriter,
  options: {
    group: RepositoryGroup;
    source: ImageSource;
    onOutcome: (outcome: "present" | "mounted" | "uploaded") => void;
  },
): ImageSink {
  const { group, source, onOutcome } = options;
  return openRegistrySink(client, {
    references: group,
    from: source.repository,
    onBlob: (_, outcome) => onOutcome(outcome),
  });
}

/** What is copied of a source: all of it, the image for a platform, or an index of those for several. */
async function chooseRoot(source: ImageSource, request: CopyRequest, tools: Tools): Promise<ManifestDocument> {
  const { root } = source;
  const platforms = wantedPlatforms(root, request, tools);
  const [platform, ...more] = platforms;
  if (platform === undefined) return root;
  const what = describeSource(request);
  if (root.manifest.kind === "index") return narrowIndex(source, { platforms, what });
  if (more.length > 0) throw new UserError(`${what} is an image for one platform, and ${more.length + 1} are wanted.`);
  // It says when the image is for another platform.
  await selectImage(source, { platform, what });
  return root;
}

/** The store is for what runs here; an image that is for one platform is taken as it is. */
function wantedPlatforms(root: ManifestDocument, request: CopyRequest, tools: Tools): readonly Platform[] {
  const { platforms, destination } = request;
  if (platforms === "all") return [];
  if (platforms.length > 0 || destination.kind !== "store" || root.manifest.kind === "image") return platforms;
  return [parsePlatform(defaultPlatform(tools))];
}

function describeSource({ source }: CopyRequest): string {
  return source.kind === "registry" ? formatReference(source.reference) : formatImageTransport(source);
}

function platformTexts({ manifest }: ManifestDocument): string[] {
  return manifest.kind === "index" ? platformsOf(manifest).map(formatPlatform) : [];
}

function describe(
  root: ManifestDocument,
  { contents, present, mounted }: { contents: ImageContents; present: number; mounted: number },
): CopiedImage {
  const { digest, mediaType } = root.descriptor;
  const parts = [root.descriptor, ...contents.manifests.map((manifest) => manifest.descriptor), ...contents.blobs];
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return { digest, mediaType, size, platforms: platformTexts(root), blobs: contents.blobs.length, present, mounted };
}
