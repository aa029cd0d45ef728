import { UserError } from "../errors.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { maximumManifestSize } from "../oci/image.ts";
import { documentKindOf, mediaTypes } from "../oci/media-types.ts";
import { formatPlatform, normalizePlatform, samePlatform } from "../oci/platform.ts";
import { type ConfigFacts, checkConfig } from "../oci/validation/check-config.ts";
import {
  checkBlob,
  checkLayers,
  checkLayerType,
  isForeignLayerType,
  isLayerType,
  type MeasuredLayer,
} from "../oci/validation/check-layer.ts";
import { type CheckedDescriptor, type CheckedManifest, checkManifest } from "../oci/validation/check-manifest.ts";
import type { Fault } from "../oci/validation/fault.ts";
import { RegistryError } from "../registry/registry-error.ts";
import { measureLayer } from "./measure-layer.ts";
import { readDocument } from "./read-document.ts";

/** Gives the bytes under a digest as they are, unverified; undefined when there are none. */
export type OpenContent = (
  descriptor: Pick<CheckedDescriptor, "digest" | "size" | "mediaType">,
) => Promise<AsyncIterable<Uint8Array> | undefined>;

/** Checks everything below descriptors; what several of them share is read once and told once. */
export type ContentCheck = {
  readonly check: (descriptor: CheckedDescriptor) => Promise<void>;
  readonly faults: readonly Fault[];
  readonly counted: { manifests: number; layers: number };
};

const configTypes: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig]);
const attestation = "vnd.docker.reference.type";

/** A check of an image's contents, wherever they lie. */
export function createContentCheck(open: OpenContent): ContentCheck {
  const walk: Walk = { open, faults: [], seen: new Set(), layers: new Map(), counted: { manifests: 0, layers: 0 } };
  return { check: (descriptor) => checkDescribed(walk, descriptor), faults: walk.faults, counted: walk.counted };
}

type Walk = {
  readonly open: OpenContent;
  readonly faults: Fault[];
  readonly seen: Set<Digest>;
  readonly layers: Map<Digest, Promise<MeasuredLayer | undefined>>;
  readonly counted: { manifests: number; layers: number };
};

type Image = Extract<CheckedManifest, { kind: "image" }>;

async function checkDescribed(walk: Walk, descriptor: CheckedDescriptor): Promise<void> {
  const kind = documentKindOf(descriptor.mediaType);
  if (kind === "unknown") return checkOther(walk, descriptor);
  if (walk.seen.has(descriptor.digest)) return;
  walk.seen.add(descriptor.digest);
  walk.counted.manifests += 1;
  const place = `${kind === "index" ? "index" : "manifest"} ${descriptor.digest}`;
  const document = await readDescribed(walk, descriptor, place);
  if (document === undefined) return;
  const checked = checkManifest(document, { place, announced: descriptor.mediaType });
  walk.faults.push(...checked.faults);
  if (checked.manifest?.kind === "index") {
    for (const entry of checked.manifest.manifests) await checkDescribed(walk, entry);
  }
  if (checked.manifest?.kind === "image") await checkImage(walk, checked.manifest, { descriptor, place });
}

async function checkImage(
  walk: Walk,
  manifest: Image,
  { descriptor, place }: { descriptor: CheckedDescriptor; place: string },
): Promise<void> {
  const { config } = manifest;
  if (!configTypes.has(config.mediaType)) return checkArtifact(walk, manifest);
  const configPlace = `config ${config.digest}`;
  const document = await readDescribed(walk, config, configPlace);
  const checked = document === undefined ? undefined : checkConfig(document, configPlace);
  walk.faults.push(...(checked?.faults ?? []));
  const isAttestation = descriptor.annotations?.[attestation] !== undefined;
  const measured: (MeasuredLayer | undefined)[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    measured.push(await checkLayer(walk, layer, { place: `layer ${index + 1} (${layer.digest})`, isAttestation }));
  }
  const { facts } = checked ?? {};
  if (facts === undefined) return;
  if (!isAttestation) walk.faults.push(...platformFaults(descriptor, { facts, place }));
  walk.faults.push(...checkLayers(measured, { ...facts, place: configPlace }));
}

/** What is no image is free to have any content; an image's config under a wrong name is told. */
async function checkArtifact(walk: Walk, { config, layers }: Image): Promise<void> {
  const place = `config ${config.digest}`;
  const document = config.size > maximumManifestSize ? undefined : await readQuietly(walk, config);
  if (document !== undefined && "rootfs" in document && "architecture" in document) {
    const problem = `it is the config of an image, and its media type is ${config.mediaType}`;
    walk.faults.push({ kind: "media-type", place, problem });
  }
  for (const content of [config, ...layers]) await checkOther(walk, content);
}

async function checkLayer(
  walk: Walk,
  layer: CheckedDescriptor,
  { place, isAttestation }: { place: string; isAttestation: boolean },
): Promise<MeasuredLayer | undefined> {
  if (isAttestation && !isLayerType(layer.mediaType)) {
    await checkOther(walk, layer);
    return undefined;
  }
  const known = walk.layers.get(layer.digest) ?? readLayer(walk, layer, place);
  walk.layers.set(layer.digest, known);
  const measured = await known;
  if (measured === undefined) return undefined;
  walk.faults.push(...checkBlob(measured, { descriptor: layer, place }));
  walk.faults.push(...checkLayerType(measured, { mediaType: layer.mediaType, place }));
  return measured;
}

async function readLayer(walk: Walk, layer: CheckedDescriptor, place: string): Promise<MeasuredLayer | undefined> {
  walk.counted.layers += 1;
  const measured = await reading(walk, place, async () => {
    const chunks = await walk.open(layer);
    if (chunks !== undefined) return measureLayer(chunks, place);
    if (!isForeignLayerType(layer.mediaType)) walk.faults.push({ kind: "missing", place, problem: "it is not there" });
    return undefined;
  });
  walk.faults.push(...(measured?.faults ?? []));
  return measured;
}

/** Content of no known sort: only its digest and size can be checked. */
async function checkOther(walk: Walk, descriptor: CheckedDescriptor): Promise<void> {
  if (walk.seen.has(descriptor.digest)) return;
  walk.seen.add(descriptor.digest);
  const place = `blob ${descriptor.digest}`;
  await reading(walk, place, async () => {
    const chunks = await walk.open(descriptor);
    if (chunks === undefined) {
      walk.faults.push({ kind: "missing", place, problem: "it is not there" });
      return;
    }
    const digester = createDigester();
    let size = 0;
    for await (const chunk of chunks) {
      digester.update(chunk);
      size += chunk.length;
    }
    walk.faults.push(...checkBlob({ digest: digester.digest(), size }, { descriptor, place }));
  });
}

async function readDescribed(walk: Walk, descriptor: CheckedDescriptor, place: string): Promise<object | undefined> {
  return reading(walk, place, async () => {
    const chunks = await walk.open(descriptor);
    const read = await readDocument(chunks, { maximum: maximumManifestSize, place, descriptor });
    walk.faults.push(...read.faults);
    return read.document;
  });
}

async function readQuietly({ open }: Walk, descriptor: CheckedDescriptor): Promise<object | undefined> {
  try {
    const { document } = await readDocument(await open(descriptor), { maximum: maximumManifestSize, place: "" });
    return document;
  } catch (thrown) {
    if (unreadable(thrown, "") === undefined) throw thrown;
    return undefined;
  }
}

/** What cannot be read is a fault of its own; what has nothing to do with the image is thrown on. */
async function reading<Result>(walk: Walk, place: string, work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (thrown) {
    const fault = unreadable(thrown, place);
    if (fault === undefined) throw thrown;
    walk.faults.push(fault);
    return undefined;
  }
}

function unreadable(thrown: unknown, place: string): Fault | undefined {
  if (thrown instanceof RegistryError) {
    return thrown.failure === "not-found" ? { kind: "missing", place, problem: "it is not there" } : undefined;
  }
  if (thrown instanceof UserError && !("transient" in thrown)) {
    return { kind: "unreadable", place, problem: [thrown.message, thrown.hint].filter(Boolean).join(" ") };
  }
  const isFileError = thrown instanceof Error && "code" in thrown && "syscall" in thrown;
  return isFileError ? { kind: "unreadable", place, problem: thrown.message } : undefined;
}

function platformFaults(
  { platform }: CheckedDescriptor,
  { facts, place }: { facts: ConfigFacts; place: string },
): Fault[] {
  if (platform == null) return [];
  const told = normalizePlatform({ ...platform, variant: platform.variant });
  // Many an index leaves the variant out, or tells one that the config leaves out.
  const withoutVariant = { ...facts.platform, variant: told.variant };
  if (samePlatform(told, withoutVariant)) return [];
  const problem = `the index says ${formatPlatform(told)}, its config ${formatPlatform(facts.platform)}`;
  return [{ kind: "platform", place, problem }];
}
