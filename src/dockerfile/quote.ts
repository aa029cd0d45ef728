import { UserError } from "../errors.ts";

/**
 * A value in a Dockerfile, literal: between double quotes with quotes, escapes and `$` escaped. Where the text escapes with another
 * character it stands between single quotes, as Podman reads words with a backslash all the same. Throws UserError on a line break.
 */
export function quoteLiteral(value: string, what: string, escapeWith = "\\"): string {
  const line = refuseLineBreak(value, what);
  if (escapeWith !== "\\") return `'${line.replaceAll("'", `'"'"'`)}'`;
  return `"${escapeCharacters(line, ['"', "$", escapeWith], escapeWith)}"`;
}

/** As `quoteLiteral`, but `$NAME` still refers to a variable of the image, as a Feature's containerEnv may. */
export function quoteExpandable(value: string, what: string, escapeWith = "\\"): string {
  return `"${escapeCharacters(refuseLineBreak(value, what), ['"', escapeWith], escapeWith)}"`;
}

/** A value between single quotes for a POSIX shell: nothing in it is special. */
export function quoteShell(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** `NAME="value"` for a file that a POSIX shell sources: no value can run code. */
export function shellAssignment(name: string, value: string): string {
  if (!VARIABLE_NAME.test(name))
    throw new UserError(`${JSON.stringify(name)} is not a valid name of an environment variable.`);
  return `${name}="${escapeCharacters(value, ['"', "$", "`", "\\"], "\\")}"`;
}

/** What an environment variable may be called in generated text. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function escapeCharacters(value: string, special: readonly string[], escapeWith: string): string {
  return Array.from(value, (character) => (special.includes(character) ? escapeWith + character : character)).join("");
}

function refuseLineBreak(value: string, what: string): string {
  if (/[\r\n\0]/.test(value)) {
    throw new UserError(`${what} contains a line break, which an instruction of a Dockerfile cannot hold.`, {
      hint: "Write the value on one line, or set it from a file in the container.",
    });
  }
  return value;
}
