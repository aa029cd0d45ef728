import { UserError } from "../errors.ts";
import { csvFields } from "./csv-record.ts";

/** A secret of a build: its name, and where its value comes from. */
export interface BuildSecret {
  readonly id: string;
  readonly source: { readonly kind: "file"; readonly path: string } | { readonly kind: "env"; readonly name: string };
}

const SPEC = "wanted id=NAME,src=FILE or id=NAME,env=VARIABLE";

/**
 * Reads `--secret` as BuildKit does: `id=NAME[,type=file|env][,src=FILE|,env=VARIABLE]`; with neither, the variable NAME where
 * `isSet` knows it, else the file NAME. Throws a UserError that does not repeat the value.
 */
export function parseBuildSecret(text: string, isSet: (variable: string) => boolean): BuildSecret {
  const fields = new Map<string, string>();
  for (const field of csvFields(text)) {
    const equals = field.indexOf("=");
    if (equals < 1) throw new UserError(`--secret has a field without "=": ${SPEC}.`);
    fields.set(field.slice(0, equals).toLowerCase(), field.slice(equals + 1));
  }
  const known = ["id", "type", "src", "source", "env"];
  const unknown = [...fields.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UserError(`--secret has the unknown field ${JSON.stringify(unknown)}: ${SPEC}.`);
  const id = fields.get("id") ?? "";
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(id)) {
    throw new UserError(`--secret has the id ${JSON.stringify(id)}: ${SPEC}, the name of letters, digits and ._-`);
  }
  const file = fields.get("src") ?? fields.get("source");
  const variable = fields.get("env") ?? (fields.get("type") === "env" ? (file ?? id) : undefined);
  if (variable !== undefined) return { id, source: { kind: "env", name: variable } };
  if (file === undefined && fields.get("type") !== "file" && isSet(id))
    return { id, source: { kind: "env", name: id } };
  return { id, source: { kind: "file", path: file ?? id } };
}
