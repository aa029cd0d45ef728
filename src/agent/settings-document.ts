import * as v from "valibot";
import type { JsonObject, JsonValue } from "../json.ts";
import { environmentNames, projectRule } from "./settings.ts";
import { SETTINGS, type Setting, type SettingsTable } from "./settings-table.ts";

const JSON_TYPES = { text: "string", number: "number", boolean: "boolean", list: "array" } as const;

/** The JSON schema of cooper's configuration files. */
export function settingsSchema(table: SettingsTable = SETTINGS): JsonObject {
  const properties = Object.fromEntries(Object.entries(table).map(([key, setting]) => [key, propertyOf(setting)]));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "cooper's configuration",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...properties },
  };
}

/** The page of the documentation that lists every key. */
export function settingsPage(table: SettingsTable = SETTINGS): string {
  const rows = Object.entries(table).map(([key, setting]) => {
    const { default: value, description } = setting;
    const variables = environmentNames(key).map((name) => `\`${name}\``);
    return `| \`${key}\` | \`${JSON.stringify(value)}\` | ${variables.join(" ")} | ${projectRule(setting)} | ${description} |`;
  });
  return `${INTRODUCTION}\n\n| key | default | environment | a project may set it | meaning |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

const INTRODUCTION = `# Configuration

cooper reads, each over the one before: \`$XDG_CONFIG_HOME/ocx/ocx.json\`, \`$XDG_CONFIG_HOME/cooper/ocx.json\`,
\`$XDG_CONFIG_HOME/cooper/config.jsonc\`, the project's \`ocx.json\` and \`cooper.jsonc\`, and the environment. They hold a JSON object with
comments. \`null\` means unset; lists are joined; in the environment a list is separated by colons.

\`cooper config\` shows what counts in a folder, \`--sources\` where it comes from, \`--schema\` the files' JSON schema. A project's own file
may not say everything: what reaches this machine beyond the project is ignored, with a warning, until \`cooper config trust\`, which holds for
the file as it is then: any change of it takes the trust back. It says what it lets the file do; \`--revoke\` undoes it, \`--list\` names
every file that was trusted.`;

function propertyOf({ schema, type, default: value, description }: Setting): JsonObject {
  const plain: JsonValue = typeof value === "object" && value !== null ? [...value] : value;
  const constraints = constraintsOf(schema);
  const choices = constraints["enum"];
  return {
    ...constraints,
    type: [constraints["type"] ?? JSON_TYPES[type], "null"],
    ...(Array.isArray(choices) ? { enum: [...choices, null] } : {}),
    default: plain,
    description,
  };
}

const PIPED = v.object({ pipe: v.array(v.unknown()) });

const DEMAND = v.variant("type", [
  v.object({ type: v.literal("regex"), requirement: v.instance(RegExp) }),
  v.object({ type: v.literal("integer") }),
  v.object({ type: v.picklist(["min_value", "max_value", "gt_value"]), requirement: v.number() }),
  v.object({ type: v.literal("picklist"), options: v.array(v.string()) }),
  v.object({ type: v.literal("array"), item: v.unknown() }),
]);

const BOUNDS = { min_value: "minimum", max_value: "maximum", gt_value: "exclusiveMinimum" } as const;

/** What a schema of the table demands beyond the type, in the words of JSON schema. */
function constraintsOf(schema: unknown): JsonObject {
  if (v.is(PIPED, schema)) return Object.assign({}, ...schema.pipe.map(constraintsOf));
  if (!v.is(DEMAND, schema)) return {};
  switch (schema.type) {
    case "regex":
      return { pattern: schema.requirement.source };
    case "integer":
      return { type: "integer" };
    case "min_value":
    case "max_value":
    case "gt_value":
      return { [BOUNDS[schema.type]]: schema.requirement };
    case "picklist":
      return { enum: [...schema.options] };
    case "array":
      return { items: { type: "string", ...constraintsOf(schema.item) } };
  }
}
