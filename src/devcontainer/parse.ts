import * as v from "valibot";
import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { type ConfigProblem, formatPath, problemsOf, toleratedValues, unknownProperties } from "./config-problems.ts";
import { type JsoncDocument, type JsonPath, parseJsonc } from "./jsonc-document.ts";
import { migrateOldProperties } from "./migrate-old-properties.ts";
import { type DevContainerConfig, devContainerSchema } from "./schema.ts";

/** A devcontainer.json, read and checked, variables not yet replaced. */
export type ParsedConfig = {
  readonly config: DevContainerConfig;
  /** All that is written, unknown properties too, after the migration of old ones. */
  readonly raw: JsonObject;
  /** Sentences about what is ignored or tolerated, each with its place, in the order of the file. */
  readonly warnings: readonly string[];
  /** `file:line:column` of a value by its path. */
  readonly locate: (path: JsonPath) => string;
};

/** True for a file without any content, which counts as no configuration. */
export function isEmptyConfig(text: string): boolean {
  return text === "" || text === "\uFEFF";
}

/**
 * Reads the text of a devcontainer.json. Throws a UserError with `file:line:column` for a syntax error, one for a text that is
 * no object, and one that lists every value of the wrong type in the order of the file.
 */
export function parseDevContainerConfig(text: string, file: string): ParsedConfig {
  const document = parseJsonc(text, file);
  if (!isJsonObject(document.value)) {
    throw new UserError(`Dev container config (${file}) must contain a JSON object literal.`);
  }
  const { config: raw, problems } = migrateOldProperties(document.value);
  const checked = v.safeParse(devContainerSchema, raw);
  const wrong = [...problems, ...problemsOf(checked.issues ?? [])];
  if (!checked.success || wrong.length > 0) throw wrongConfig(inOrder(wrong, document), { document, file });
  return { config: checked.output, raw, warnings: warningsOf(raw, document), locate: document.locate };
}

function warningsOf(raw: JsonObject, document: JsoncDocument): string[] {
  const repeated = document.duplicates.map((path) => ({
    path,
    text: `property ${formatPath(path)} is written more than once; the last one counts.`,
  }));
  const warnings = [...unknownProperties(raw), ...repeated, ...toleratedValues(raw)];
  return inOrder(warnings, document).map(({ path, text }) => `${document.locateKey(path)}: ${text}`);
}

function wrongConfig(
  problems: readonly ConfigProblem[],
  context: { document: JsoncDocument; file: string },
): UserError {
  const lines = problems.map(({ path, text }) => `${context.document.locate(path)}: ${text}`);
  if (lines.length === 1) return new UserError(lines.join(""));
  return new UserError(
    `Dev container config (${context.file}) has ${lines.length} problems:\n${lines.map((line) => `  ${line}`).join("\n")}`,
  );
}

function inOrder(problems: readonly ConfigProblem[], document: JsoncDocument): ConfigProblem[] {
  return problems.toSorted((left, right) => document.offsetOf(left.path) - document.offsetOf(right.path));
}
