import * as v from "valibot";
import { parseJsonc } from "../devcontainer/jsonc-document.ts";
import { migrateOldProperties } from "../devcontainer/migrate-old-properties.ts";
import { metadataEntrySchema } from "../devcontainer/schema.ts";
import { messageOf, UserError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { describeProblems } from "./schema-problems.ts";

const string = v.string("a string");
const strings = v.array(string, "an array of strings");
const json = v.custom<JsonValue>(() => true);
const plainObject = (wanted: string) => v.custom<JsonObject>(isJsonObject, wanted);
const scalar = v.union([v.string(), v.boolean(), v.number(), v.null()], "a string or true or false");

const option = v.pipe(
  plainObject("an object with type and default"),
  v.objectWithRest(
    {
      type: v.exactOptional(string),
      default: v.exactOptional(scalar),
      enum: v.exactOptional(v.array(scalar, "an array of strings")),
      proposals: v.exactOptional(v.array(scalar, "an array of strings")),
      description: v.exactOptional(string),
    },
    json,
  ),
);

const optionValue = v.union([v.string(), v.boolean(), v.number()], "a string or true or false");
const value = v.pipe(
  v.union(
    [v.string(), v.boolean(), v.pipe(plainObject("an object of options"), v.record(v.string(), optionValue))],
    "a string, true or false, or an object of options",
  ),
  v.transform((written) =>
    typeof written === "object"
      ? Object.fromEntries(Object.entries(written).map(([name, part]) => [name, textOfNumber(part)]))
      : written,
  ),
);

const {
  onCreateCommand,
  updateContentCommand,
  postCreateCommand,
  postStartCommand,
  postAttachCommand,
  customizations,
  mounts,
  containerEnv,
  init,
  privileged,
  capAdd,
  securityOpt,
  entrypoint,
} = metadataEntrySchema.pipe[1].entries;

const manifestSchema = v.pipe(
  plainObject("an object"),
  v.object({
    id: v.pipe(string, v.nonEmpty("a name")),
    version: v.exactOptional(string),
    name: v.exactOptional(string),
    description: v.exactOptional(string),
    documentationURL: v.exactOptional(string),
    licenseURL: v.exactOptional(string),
    options: v.exactOptional(v.pipe(plainObject("an object of options"), v.record(v.string(), option))),
    dependsOn: v.exactOptional(v.pipe(plainObject("an object of Features"), v.record(v.string(), value))),
    installsAfter: v.exactOptional(strings),
    legacyIds: v.exactOptional(strings),
    currentId: v.exactOptional(string),
    deprecated: v.exactOptional(v.boolean("true or false")),
    buildArg: v.exactOptional(v.pipe(string, v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable's name"))),
    containerEnv,
    mounts,
    init,
    privileged,
    capAdd,
    securityOpt,
    entrypoint,
    customizations,
    onCreateCommand,
    updateContentCommand,
    postCreateCommand,
    postStartCommand,
    postAttachCommand,
  }),
);

/** A checked devcontainer-feature.json: the properties that mean something here. */
export type FeatureManifest = v.InferOutput<typeof manifestSchema>;
/** One option that a Feature declares. */
export type FeatureOption = v.InferOutput<typeof option>;
/** A Feature's own description: checked, and as written after the migration of old properties. */
export type FeatureDescription = { readonly manifest: FeatureManifest; readonly raw: JsonObject };

/**
 * Reads the text of a devcontainer-feature.json (JSON with comments); unknown keys are kept in `raw` only. Throws a
 * UserError that names Feature, file and place.
 */
export function parseFeatureManifest(text: string, { userId, file }: FeatureSourceName): FeatureDescription {
  const parsed = parseText(text, { userId, file });
  const { config: raw, problems } = isJsonObject(parsed)
    ? migrateOldProperties(parsed)
    : { config: parsed, problems: [] };
  const result = v.safeParse(manifestSchema, raw);
  if (result.success && isJsonObject(raw) && problems.length === 0) return { manifest: result.output, raw };
  const found = describeProblems({ problems, issues: result.issues }, { text, file });
  throw new UserError(`Feature '${userId}': ${found}`);
}

type FeatureSourceName = { readonly userId: string; readonly file: string };

function parseText(text: string, { userId, file }: FeatureSourceName): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    // Comments, or an error whose place the other parser knows.
  }
  try {
    return parseJsonc(text, file).value ?? null;
  } catch (cause) {
    throw new UserError(`Feature '${userId}': ${messageOf(cause)}`, { cause });
  }
}

function textOfNumber(written: string | boolean | number): string | boolean {
  return typeof written === "number" ? String(written) : written;
}
