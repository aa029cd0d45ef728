import * as v from "valibot";
import { digestSchema } from "../oci/descriptor.ts";

const pathSchema = v.pipe(v.string(), v.startsWith("/"));

/** What a layer worker is asked for, a line each. */
export const layerTaskSchema = v.variant("kind", [
  /** A stored layer becomes a folder at `target`, by way of `staged`; its tar must have the diff id. */
  v.object({
    kind: v.literal("unpack"),
    blob: pathSchema,
    staged: pathSchema,
    target: pathSchema,
    diffId: digestSchema,
  }),
  /** What a step changed becomes a stored layer in a file. */
  v.object({
    kind: v.literal("pack"),
    folder: pathSchema,
    /** Mount points in the folder that were made for the step alone, parents first. */
    made: v.array(v.string()),
    /** The unpacked layers below. */
    lowers: v.array(pathSchema),
    output: pathSchema,
    /** When the step began, in milliseconds since 1970: what was changed since then gets the time `epoch`, in seconds. */
    started: v.number(),
    epoch: v.number(),
  }),
  v.object({ kind: v.literal("place"), folder: pathSchema, target: pathSchema }),
  v.object({ kind: v.literal("remove"), path: pathSchema }),
]);
export type LayerTask = v.InferOutput<typeof layerTaskSchema>;

const layerSchema = v.object({ mediaType: v.string(), digest: digestSchema, size: v.number(), diffId: digestSchema });

/** What it answers, a line each, in the same order. */
export const layerAnswerSchema = v.variant("kind", [
  v.object({ kind: v.literal("done") }),
  v.object({ kind: v.literal("packed"), layer: layerSchema, leftOut: v.array(v.string()) }),
  v.object({ kind: v.literal("failed"), message: v.string(), hint: v.optional(v.string()) }),
]);
export type LayerAnswer = v.InferOutput<typeof layerAnswerSchema>;
