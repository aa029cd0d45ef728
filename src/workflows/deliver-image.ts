import { join, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { ImageSource, LocalImageSink, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { checkDigest, formatReference, type ImageReference, parseImageReference } from "../oci/reference.ts";
import { type TransferObserver, transferImage } from "../oci/transfer-image.ts";
import type { ImageTransport } from "../oci/transport.ts";
import { openFolder } from "../store/content-files.ts";
import { cacheDirectory } from "../store/directories.ts";
import { openLayoutSink } from "../store/oci-layout-sink.ts";
import { openLayoutSource } from "../store/oci-layout-source.ts";
import { loadIntoEngine } from "./load-into-engine.ts";
import { isLocalOutput, type LocalOutput, openLocalSink } from "./open-image-sink.ts";
import { openLocalSource } from "./open-image-source.ts";
import { pushSource } from "./push-source.ts";
import type { Tools } from "./tools.ts";

/** Where a new image goes, under which names. */
export type Delivery = {
  readonly output: ImageTransport | undefined;
  readonly references: readonly ImageReference[];
  /** Under all its names, to their registries. */
  readonly push: boolean;
  /** Into the engine that is found. */
  readonly load: boolean;
  readonly dockerPath: string | undefined;
};

/** An image that was written, but for the last step that makes it visible. */
export type NewImage = {
  readonly root: ManifestDocument;
  readonly layers: readonly Descriptor[];
  readonly size: number;
};

/** What was delivered: the image, all its names, and where on disk it is. */
export type DeliveredImage = NewImage & { readonly tags: readonly string[]; readonly path: string | undefined };

/** How a new image comes about: what it is based on, and what writes it. */
export type Production = {
  readonly base: ImageSource | undefined;
  readonly observer: TransferObserver;
  /** Asks `has` of the base's blobs only, and writes those that are not there. */
  readonly write: (sink: LocalImageSink) => Promise<NewImage>;
};

type Targets = {
  readonly local: LocalOutput | undefined;
  readonly names: readonly ImageReference[];
  readonly push: readonly ImageReference[];
  readonly load: boolean;
};

/** Has an image written where it is wanted, pushed and loaded as asked. When writing fails nothing of it is left. */
export async function deliverImage(delivery: Delivery, production: Production, tools: Tools): Promise<DeliveredImage> {
  const targets = targetsOf(delivery);
  const cache = cacheDirectory({ environment: tools.environment, homeDirectory: tools.homeDirectory });
  const temporary = <T>(work: (directory: string) => Promise<T>) => withTemporaryDirectory(join(cache, "images"), work);
  const tags = targets.names.map(formatReference);
  if (targets.local === undefined && !targets.load) {
    const image = await temporary((directory) => pushDirectly(directory, { targets, production, tools }));
    return { ...image, tags, path: undefined };
  }
  if (targets.local === undefined) {
    const image = await temporary(async (directory) => {
      const staged: LocalOutput = { kind: "archive", path: join(directory, "image.tar") };
      const written = await writeTo(staged, { targets, production, tools });
      await loadIntoEngine(staged.path, { root: written.root, dockerPath: delivery.dockerPath }, tools);
      await pushFrom(staged, { targets, production, tools });
      return written;
    });
    return { ...image, tags, path: undefined };
  }
  const { local } = targets;
  const image = await writeTo(local, { targets, production, tools });
  const { root } = image;
  if (targets.load)
    await temporary((directory) => load(local, { directory, root, delivery, targets, production, tools }));
  await pushFrom(local, { targets, production, tools });
  return { ...image, tags, path: local.kind === "store" ? undefined : resolve(tools.workingDirectory, local.path) };
}

/** Throws a UserError when the image would go nowhere, or is to be pushed without a name. */
function targetsOf({ output, references, push, load }: Delivery): Targets {
  if (output?.kind === "scratch") throw new UserError("Nothing can be written to scratch: it is the empty image.");
  if (push && references.length === 0) {
    throw new UserError("--push needs a name for the image in its registry.", { hint: "Add --tag REGISTRY/NAME:TAG." });
  }
  const remote = output?.kind === "registry" ? [output.reference] : [];
  const stored = output?.kind === "store" ? [output.reference] : [];
  const inEngine = output?.kind === "engine" ? [parseImageReference(output.name)] : [];
  const targets: Targets = {
    local: output !== undefined && isLocalOutput(output) ? output : undefined,
    names: unique([...remote, ...stored, ...inEngine, ...references]),
    push: unique([...remote, ...(push ? references : [])]),
    load: load || inEngine.length > 0,
  };
  if (targets.local === undefined && targets.push.length === 0 && !targets.load) {
    throw new UserError("The image would go nowhere: there is no --output, no --push and no --load.", {
      hint: "Add, for example, --output image.tar.",
    });
  }
  return targets;
}

type Work = { readonly targets: Targets; readonly production: Production; readonly tools: Tools };

async function writeTo(output: LocalOutput, { targets, production, tools }: Work): Promise<NewImage> {
  const sink = await openLocalSink(output, { references: targets.names }, tools);
  try {
    const image = await production.write(sink);
    refuseIndexForEngine(image, targets);
    for (const reference of targets.names) checkDigest(reference, image.root.descriptor.digest);
    await sink.finish(image.root);
    return image;
  } finally {
    await sink.discard();
  }
}

function refuseIndexForEngine({ root }: NewImage, { load }: Targets): void {
  if (!load || root.manifest.kind === "image") return;
  throw new UserError("An engine's store takes an image for one platform, and this one is for several.", {
    hint: "Leave --load away, or give one --platform.",
  });
}

/** Only what is new is written down; what the base has is mounted from its repository, or streamed from where it is. */
async function pushDirectly(directory: string, { targets, production, tools }: Work): Promise<NewImage> {
  const { base } = production;
  const folder = join(directory, "layout");
  const inner = openLayoutSink(folder, []);
  const left = new Set<Digest>();
  const has = async ({ digest }: Descriptor) => {
    left.add(digest);
    return true;
  };
  const image = await production.write({ ...inner, has });
  await inner.finish(image.root);
  const layout = await openLayoutSource(openFolder(folder), undefined);
  const open = (blob: Descriptor) => (base !== undefined && left.has(blob.digest) ? base : layout).open(blob);
  const source: ImageSource = { ...layout, open, repository: base?.repository };
  await pushSource(source, { references: targets.push, observer: production.observer }, tools);
  return image;
}

async function pushFrom(output: LocalOutput, { targets, production, tools }: Work): Promise<void> {
  if (targets.push.length === 0) return;
  const local = await openLocalSource(output, tools);
  try {
    const source: ImageSource = { ...local, repository: production.base?.repository };
    await pushSource(source, { references: targets.push, observer: production.observer }, tools);
  } finally {
    await local.close();
  }
}

/** Engines take archives: what was written in another form is copied into one first. */
async function load(
  output: LocalOutput,
  work: Work & { readonly directory: string; readonly root: ManifestDocument; readonly delivery: Delivery },
): Promise<void> {
  const { directory, root, delivery, targets, production, tools } = work;
  const { dockerPath } = delivery;
  if (output.kind === "archive" || output.kind === "docker-archive") {
    await loadIntoEngine(resolve(tools.workingDirectory, output.path), { root, dockerPath }, tools);
    return;
  }
  const path = join(directory, "image.tar");
  const sink = await openLocalSink({ kind: "archive", path }, { references: targets.names }, tools);
  try {
    const source = await openLocalSource(output, tools);
    try {
      const { observer } = production;
      await transferImage(source, sink, { root: source.root, concurrency: 1, observer });
    } finally {
      await source.close();
    }
  } finally {
    await sink.discard();
  }
  await loadIntoEngine(path, { root, dockerPath }, tools);
}

function unique(references: readonly ImageReference[]): ImageReference[] {
  return [...new Map(references.map((reference) => [formatReference(reference), reference])).values()];
}
