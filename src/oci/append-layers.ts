import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { diffIdsOf, type Image } from "./image.ts";

/** A layer as it goes onto an image: what is stored, and the digest of the tar within. */
export type NewLayer = {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** For the history, where it is not what all of them have. */
  readonly createdBy?: string;
};

/** What an image's history says about a change. */
export type HistoryEntry = { readonly created: string; readonly createdBy: string };

/** The image with layers on top, each with its line of history, created when they were. */
export function appendLayers(image: Image, layers: readonly NewLayer[], history: HistoryEntry): Image {
  const { created, createdBy } = history;
  const rootfs: JsonObject = { type: "layers", diff_ids: [...diffIdsOf(image), ...layers.map(({ diffId }) => diffId)] };
  const lines = layers.map((layer): JsonObject => ({ created, created_by: layer.createdBy ?? createdBy }));
  const earlier = Array.isArray(image.config["history"]) ? image.config["history"] : [];
  return {
    ...image,
    config: { ...image.config, created, rootfs, history: [...completed(image, earlier), ...lines] },
    layers: [...image.layers, ...layers.map(({ descriptor }) => descriptor)],
  };
}

/** A base may tell no history, or less than it has layers; with our lines on top the counts would not add up. */
function completed(image: Image, history: readonly JsonValue[]): JsonValue[] {
  const told = history.filter((line) => !(isJsonObject(line) && line["empty_layer"] === true)).length;
  const missing = Math.max(0, image.layers.length - told);
  return [...Array.from({ length: missing }, (): JsonObject => ({ created_by: "unknown" })), ...history];
}
