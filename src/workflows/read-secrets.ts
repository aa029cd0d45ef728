import { readFileSync } from "node:fs";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { messageOf, UserError } from "../errors.ts";
import { createMask, type Mask } from "../host/mask-log.ts";
import { isJsonObject } from "../json.ts";

/** What hooks and dotfiles get that nobody else may see. */
export interface Secrets {
  readonly env: Readonly<Record<string, string>>;
  /** For texts that are printed past the log. */
  readonly mask: Mask;
}

/** Reads a `--secrets-file`, a JSON object of strings with comments; none without a path. Throws UserError that quotes nothing of it. */
export function readSecrets(path: string | undefined): Secrets {
  const env = path === undefined ? {} : readEnv(path);
  return { env, mask: createMask(Object.values(env)) };
}

function readEnv(path: string): Record<string, string> {
  const errors: ParseError[] = [];
  const text = readText(path);
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split("\n").length;
    throw failure(`${path}:${line}: ${printParseErrorCode(first.error)}`);
  }
  if (!isJsonObject(value)) throw failure(`${path} does not hold a JSON object.`);
  return Object.fromEntries(
    Object.entries(value).map(([name, secret]) => {
      if (!/^[^\s=*\0]+$/.test(name))
        throw failure(`${path}: ${JSON.stringify(name)} cannot be the name of a variable.`);
      if (typeof secret !== "string") throw failure(`${path}: the value of ${name} is not a string.`);
      if (secret.includes("\0")) throw failure(`${path}: the value of ${name} holds a NUL character.`);
      return [name, secret];
    }),
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw failure(messageOf(error));
  }
}

function failure(found: string): UserError {
  return new UserError(found, {
    description: "Failed to read/parse secrets",
    hint: 'The secrets file holds a JSON object of names and values: {"TOKEN": "…"}.',
  });
}
