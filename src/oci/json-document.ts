import * as v from "valibot";
import { messageOf, UserError } from "../errors.ts";

/**
 * Reads UTF-8 JSON bytes through a schema; throws a UserError that starts with `what` and names the first thing wrong.
 */
export function readJsonDocument<Schema extends v.GenericSchema>(
  bytes: Uint8Array,
  { schema, what }: { schema: Schema; what: string },
): v.InferOutput<Schema> {
  return readJsonValue(parseJson(bytes, what), { schema, what });
}

/** Reads a JSON value through a schema; throws a UserError that starts with `what` and names the first thing wrong. */
export function readJsonValue<Schema extends v.GenericSchema>(
  value: unknown,
  { schema, what }: { schema: Schema; what: string },
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new UserError(`${what} is not valid: ${path === null ? "" : `${path}: `}${issue.message}.`);
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (thrown) {
    throw new UserError(`${what} is not valid JSON: ${messageOf(thrown)}.`, { cause: thrown });
  }
}
