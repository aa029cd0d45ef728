import * as v from "valibot";
import { type Digest, isDigest } from "./digest.ts";
import { normalizePlatform } from "./platform.ts";

/** A validated sha256 digest inside a JSON document. */
export const digestSchema = v.custom<Digest>(
  (input) => typeof input === "string" && isDigest(input),
  'expected "sha256:" followed by 64 lower-case hex digits',
);

/** A map of annotations or labels: `null` and absent both mean empty. */
export const stringMapSchema = v.nullish(v.record(v.string(), v.string()), {});

const platformSchema = v.pipe(
  v.object({ os: v.string(), architecture: v.string(), variant: v.optional(v.string()) }),
  v.transform(normalizePlatform),
);

const entries = {
  mediaType: v.string(),
  digest: digestSchema,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  annotations: stringMapSchema,
};

/** Reads a descriptor: what content is, its digest and its size in bytes (OCI image spec, "Content Descriptors"). */
export const descriptorSchema = v.object(entries);

/** Reads an entry of an index: a descriptor and the platform its image is for, when it says one. */
export const indexEntrySchema = v.object({ ...entries, platform: v.optional(platformSchema) });

/** Names content by media type, digest and size in bytes. */
export type Descriptor = Readonly<v.InferOutput<typeof descriptorSchema>>;

/** A descriptor in an index, with the platform its image is for, when it says one. */
export type IndexEntry = Readonly<v.InferOutput<typeof indexEntrySchema>>;
