import type { FeatureValue } from "../devcontainer/schema.ts";
import { nearestName } from "../nearest-name.ts";
import type { FeatureManifest } from "./manifest-schema.ts";
import type { FeatureWarning } from "./warning.ts";

/** A variable that a Feature's install script gets, with its value as it is: unquoted. */
export type OptionVariable = { readonly name: string; readonly value: string };

type Scalar = string | boolean | number | null;

/** The name of the variable that carries an option: upper case, safe for a shell. */
export function optionVariableName(option: string): string {
  return option
    .replace(/[^A-Za-z0-9_]/g, "_")
    .replace(/^[\d_]+/, "_")
    .toUpperCase();
}

/**
 * The variables of a Feature (§4.5): the defaults it declares, in that order, overlaid by what the user wrote. A lone
 * string or boolean is the option `version`, where there is one.
 */
export function resolveOptions(manifest: FeatureManifest, value: FeatureValue): OptionVariable[] {
  const values = optionValues(manifest, value);
  const variables = [...values].map(([option, chosen]) => ({
    name: optionVariableName(option),
    value: String(chosen),
  }));
  if (manifest.buildArg === undefined) return variables;
  const main = typeof value === "object" ? (values.get("version") ?? true) : value;
  return [...variables, { name: manifest.buildArg, value: String(main) }];
}

/** What is odd about the options that the user wrote: names the Feature does not declare, values outside its `enum`. */
export function optionWarnings(
  manifest: FeatureManifest,
  { userId, value }: { userId: string; value: FeatureValue },
): FeatureWarning[] {
  const declared = manifest.options ?? {};
  return Object.entries(writtenOptions(manifest, value)).flatMap(([option, chosen]): FeatureWarning[] => {
    const declaration = Object.hasOwn(declared, option) ? declared[option] : undefined;
    if (declaration === undefined) {
      return [{ kind: "unknown-option", userId, option, nearest: nearestName(option, Object.keys(declared)) }];
    }
    const allowed = declaration.enum?.map(String);
    if (allowed === undefined || allowed.includes(String(chosen))) return [];
    return [{ kind: "option-value", userId, option, value: String(chosen), allowed }];
  });
}

function optionValues(manifest: FeatureManifest, value: FeatureValue): Map<string, Scalar> {
  const values = new Map<string, Scalar>();
  for (const [option, declaration] of Object.entries(manifest.options ?? {})) {
    if (declaration.default !== undefined) values.set(option, declaration.default);
  }
  for (const [option, chosen] of Object.entries(writtenOptions(manifest, value))) values.set(option, chosen);
  return values;
}

function writtenOptions(manifest: FeatureManifest, value: FeatureValue): Record<string, string | boolean> {
  if (typeof value === "object") return value;
  return Object.hasOwn(manifest.options ?? {}, "version") ? { version: value } : {};
}
