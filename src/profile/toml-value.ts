import { isJsonObject } from "../json.ts";

/** The value at a path of tables; undefined where there is none. */
export function valueIn(document: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    document,
  );
}

/** The text at a path, trimmed; undefined where there is none. */
export function textIn(document: unknown, ...path: readonly string[]): string | undefined {
  const value = valueIn(document, ...path);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
