import type { JsonObject, JsonValue } from "../json.ts";
import { environmentNames, projectRule } from "./settings.ts";
import { SETTING_KEYS, SETTINGS, type Setting } from "./settings-table.ts";

const JSON_TYPES = { text: "string", number: "number", boolean: "boolean", list: "array" } as const;

/** The JSON schema of cooper's configuration files. */
export function settingsSchema(): JsonObject {
  const properties = Object.fromEntries(SETTING_KEYS.map((key) => [key, propertyOf(SETTINGS[key])]));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "cooper's configuration",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...properties },
  };
}

/** The page of the documentation that lists every key. */
export function settingsPage(): string {
  const rows = SETTING_KEYS.map((key) => {
    const { default: value, description } = SETTINGS[key];
    const variables = environmentNames(key).map((name) => `\`${name}\``);
    return `| \`${key}\` | \`${JSON.stringify(value)}\` | ${variables.join(" ")} | ${projectRule(SETTINGS[key])} | ${description} |`;
  });
  return `${INTRODUCTION}\n\n| key | default | environment | a project may set it | meaning |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

const INTRODUCTION = `# Configuration

cooper reads, each over the one before: \`$XDG_CONFIG_HOME/ocx/ocx.json\`, \`$XDG_CONFIG_HOME/cooper/ocx.json\`,
\`$XDG_CONFIG_HOME/cooper/config.jsonc\`, the project's \`ocx.json\` and \`cooper.jsonc\`, and the environment. They hold a JSON object with
comments. \`null\` means unset; lists are joined; in the environment a list is separated by colons.

\`cooper config\` shows what counts in a folder, \`--sources\` where it comes from, \`--schema\` the files' JSON schema. A project's own file
may not say everything: what reaches this machine beyond the project is ignored, with a warning, until \`cooper config trust\`, which holds for
the file as it is then.`;

function propertyOf({ type, default: value, description }: Setting): JsonObject {
  const plain: JsonValue = typeof value === "object" && value !== null ? [...value] : value;
  const items: JsonObject = type === "list" ? { items: { type: "string" } } : {};
  return { type: [JSON_TYPES[type], "null"], ...items, default: plain, description };
}
