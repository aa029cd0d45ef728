import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { type ConfigProblem, describeKind } from "./config-problems.ts";

/**
 * Moves top-level `extensions`, `settings` and `devPort` of old configurations to `customizations.vscode`: extensions are
 * added, of settings and devPort those already there win. What is of the wrong type stays and is named in `problems`.
 */
export function migrateOldProperties(config: JsonObject): { config: JsonObject; problems: ConfigProblem[] } {
  const { extensions, settings, devPort, ...rest } = config;
  if (extensions === undefined && settings === undefined && devPort === undefined) return { config, problems: [] };
  const customizations = rest["customizations"] ?? {};
  const vscode = isJsonObject(customizations) ? (customizations["vscode"] ?? {}) : undefined;
  const problems = [
    ...(extensions === undefined || isStrings(extensions)
      ? []
      : [problem("extensions", extensions, "an array of strings")]),
    ...(settings === undefined || isJsonObject(settings) ? [] : [problem("settings", settings, "an object")]),
    ...(devPort === undefined || typeof devPort === "number" ? [] : [problem("devPort", devPort, "a number")]),
  ];
  if (problems.length > 0 || !isJsonObject(customizations) || !isJsonObject(vscode)) return { config, problems };
  const migrated: JsonObject = {
    ...vscode,
    ...(isStrings(extensions) ? { extensions: [...listOf(vscode["extensions"]), ...extensions] } : {}),
    ...(isJsonObject(settings) ? { settings: { ...settings, ...objectOf(vscode["settings"]) } } : {}),
    ...(devPort === undefined ? {} : { devPort: vscode["devPort"] ?? devPort }),
  };
  return { config: { ...rest, customizations: { ...customizations, vscode: migrated } }, problems };
}

function problem(name: string, value: JsonValue, wanted: string): ConfigProblem {
  return { path: [name], text: `${name}: found ${describeKind(value)}; wanted ${wanted}.` };
}

function isStrings(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
