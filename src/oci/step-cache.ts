import * as v from "valibot";
import type { NewLayer } from "./append-layers.ts";
import type { ManifestDocument } from "./content.ts";
import { type Descriptor, descriptorSchema, digestSchema } from "./descriptor.ts";
import { sha256Of } from "./digest.ts";
import { descriptorJson } from "./image.ts";
import { readJsonDocument } from "./json-document.ts";
import { parseManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

/** What the config of an exported step cache is. */
export const STEP_CACHE_TYPE = "application/vnd.cooper.steps.v1+json";

/** Layers by the keys of the steps that made them, as they go between machines: the layers of one OCI artifact. */
export type StepCache = ReadonlyMap<string, NewLayer>;

/** An artifact's documents, ready to be written: the config first. */
export interface StepCacheDocuments {
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
  readonly manifest: ManifestDocument;
}

const cacheSchema = v.object({
  steps: v.record(
    v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    v.object({ diffId: digestSchema, descriptor: descriptorSchema }),
  ),
});

/** The documents of a cache; the same for the same steps. */
export function stepCacheDocuments(cache: StepCache): StepCacheDocuments {
  const sorted = [...cache].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const steps = Object.fromEntries(
    sorted.map(([key, { diffId, descriptor }]) => [key, { diffId, descriptor: descriptorJson(descriptor) }]),
  );
  const bytes = encode({ steps });
  const config = { mediaType: STEP_CACHE_TYPE, digest: sha256Of(bytes), size: bytes.length, annotations: {} };
  const layers = new Map(sorted.map(([, { descriptor }]) => [descriptor.digest, descriptor]));
  const manifest = encode({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorJson(config),
    layers: [...layers.values()].map(descriptorJson),
  });
  const root = {
    mediaType: mediaTypes.ociManifest,
    digest: sha256Of(manifest),
    size: manifest.length,
    annotations: {},
  };
  return {
    config: { descriptor: config, bytes },
    manifest: { descriptor: root, bytes: manifest, manifest: parseManifest(manifest, { what: "The step cache" }) },
  };
}

/** The cache that a config's bytes hold; throws a UserError that starts with `what` when they are none. */
export function readStepCache(bytes: Uint8Array, what: string): StepCache {
  return new Map(Object.entries(readJsonDocument(bytes, { schema: cacheSchema, what }).steps));
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
