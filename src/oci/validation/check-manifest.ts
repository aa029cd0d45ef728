import * as v from "valibot";
import { digestSchema } from "../descriptor.ts";
import { sha256Of } from "../digest.ts";
import { documentKindOf } from "../media-types.ts";
import type { Fault } from "./fault.ts";
import { faultsOfSchema } from "./schema-faults.ts";

const mediaType = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/, "expected type/subtype"),
);
const annotations = v.nullish(v.record(v.string(), v.string()));
const descriptor = v.looseObject({
  mediaType,
  digest: digestSchema,
  size: v.pipe(v.number(), v.safeInteger("expected a whole number"), v.minValue(0, "expected no negative number")),
  annotations,
  urls: v.nullish(v.array(v.string())),
  data: v.optional(v.string()),
  platform: v.nullish(v.looseObject({ architecture: v.string(), os: v.string(), variant: v.optional(v.string()) })),
});
const envelope = { schemaVersion: v.literal(2), mediaType: v.optional(mediaType), annotations };
const imageSchema = v.looseObject({
  ...envelope,
  artifactType: v.optional(mediaType),
  config: descriptor,
  layers: v.array(descriptor),
  subject: v.nullish(descriptor),
});
const indexSchema = v.looseObject({
  ...envelope,
  artifactType: v.optional(mediaType),
  manifests: v.array(descriptor),
  subject: v.nullish(descriptor),
});

/** A descriptor whose fields are what the specification says. */
export type CheckedDescriptor = v.InferOutput<typeof descriptor>;

/** A manifest or index whose fields are what the specification says. */
export type CheckedManifest =
  | ({ readonly kind: "image" } & v.InferOutput<typeof imageSchema>)
  | ({ readonly kind: "index" } & v.InferOutput<typeof indexSchema>);

/**
 * Checks a manifest or index against the image specification; `announced` is the media type that its descriptor gives
 * it, if one does. The document is given back when its fields can be relied on.
 */
export function checkManifest(
  document: object,
  { place, announced }: { place: string; announced: string | undefined },
): { readonly faults: readonly Fault[]; readonly manifest: CheckedManifest | undefined } {
  const isIndex = Object.hasOwn(document, "manifests");
  const isImage = Object.hasOwn(document, "layers") || Object.hasOwn(document, "config");
  if (isIndex && isImage) {
    const problem = "it has both manifests and layers: tools disagree on what it is (CVE-2021-41190)";
    return { faults: [{ kind: "ambiguous", place, problem }], manifest: undefined };
  }
  const kind = isIndex ? "index" : "image";
  const result = isIndex ? v.safeParse(indexSchema, document) : v.safeParse(imageSchema, document);
  const faults = result.success ? [] : faultsOfSchema(result.issues, place);
  const written = "mediaType" in document && typeof document.mediaType === "string" ? document.mediaType : undefined;
  faults.push(...mediaTypeFaults({ kind, written, announced, place }));
  if (!result.success) return { faults, manifest: undefined };
  const manifest = checkedAs(result.output);
  const named = manifest.kind === "image" ? [manifest.config, ...manifest.layers] : manifest.manifests;
  return { faults: [...faults, ...named.flatMap((each) => embeddedFaults(each, place))], manifest };
}

function checkedAs(output: v.InferOutput<typeof imageSchema> | v.InferOutput<typeof indexSchema>): CheckedManifest {
  return v.is(indexSchema, output) ? { kind: "index", ...output } : { kind: "image", ...v.parse(imageSchema, output) };
}

function mediaTypeFaults(found: {
  kind: "image" | "index";
  written: string | undefined;
  announced: string | undefined;
  place: string;
}): Fault[] {
  const { kind, written, announced, place } = found;
  const faults: Fault[] = [];
  const fault = (problem: string) => faults.push({ kind: "media-type", place, problem });
  const isRightful = written === undefined || documentKindOf(written) === kind;
  if (!isRightful) fault(`it calls itself ${written}, but is an ${kind}`);
  if (announced !== undefined && documentKindOf(announced) !== kind) {
    fault(`its descriptor calls it ${announced}, but it is an ${kind}`);
  } else if (isRightful && announced !== undefined && written !== undefined && written !== announced) {
    fault(`its descriptor calls it ${announced}, it calls itself ${written}`);
  }
  return faults;
}

/** Content that a descriptor brings along must be what it describes. */
function embeddedFaults({ data, digest, size }: CheckedDescriptor, place: string): Fault[] {
  if (data === undefined) return [];
  const bytes = Buffer.from(data, "base64");
  if (bytes.length === size && sha256Of(bytes) === digest) return [];
  return [{ kind: "digest", place, problem: `the data in the descriptor of ${digest} is not what it describes` }];
}
