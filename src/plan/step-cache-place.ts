import { UserError } from "../errors.ts";
import { type ImageReference, parseImageReference } from "../oci/reference.ts";
import { csvFields } from "./csv-record.ts";

/** Where steps are carried between machines: a folder that is an OCI layout, or a name in a registry. */
export type StepCachePlace =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "registry"; readonly reference: ImageReference };

const WANTED = "wanted type=local,dest=DIR (src=DIR to read), type=registry,ref=REFERENCE, or a reference";

/** Reads `--cache-from` and `--cache-to` as BuildKit's, of which a local folder and a registry can be had. */
export function parseStepCachePlace(text: string, option: "cache-from" | "cache-to"): StepCachePlace {
  if (!/(?:^|,)type=/.test(text)) return { kind: "registry", reference: parseImageReference(text) };
  const fields = new Map(
    csvFields(text).map((field) => {
      const equals = field.indexOf("=");
      return [field.slice(0, Math.max(0, equals)), field.slice(equals + 1)] as const;
    }),
  );
  const path = fields.get(option === "cache-to" ? "dest" : "src") ?? "";
  const reference = fields.get("ref") ?? "";
  switch (fields.get("type")) {
    case "local":
      if (path !== "") return { kind: "folder", path };
      break;
    case "registry":
      if (reference !== "") return { kind: "registry", reference: parseImageReference(reference) };
      break;
  }
  throw new UserError(`--${option} ${JSON.stringify(text)} is not for cooper's own engine: ${WANTED}.`);
}
