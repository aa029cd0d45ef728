import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, UserError } from "../errors.ts";

/**
 * A new path beside another, for what is to be renamed to it when it is whole; the parent folder is made. Throws a
 * UserError when it cannot be.
 */
export function stagedPath(path: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`);
}

/** True for the names that `stagedPath` gives in place of `name`. */
export function isStagedName(candidate: string, name: string): boolean {
  return candidate.startsWith(`.${name}.`) && candidate.endsWith(".partial");
}

/** The UserError for an output that cannot be written, by name; a full disk is told as what it is. */
export function unwritable(path: string, cause: unknown): UserError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const found = code === "ENOSPC" ? "the disk is full" : "your disk quota is used up";
    return new UserError(`Could not write ${path}: ${found}.`, {
      hint: "Nothing of it was kept. Free some space there and run the same command again, or name another place.",
      cause,
    });
  }
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  const found = denied
    ? "permission denied"
    : code === "ENOTDIR" || code === "EEXIST"
      ? "a file is in the way"
      : messageOf(cause);
  return new UserError(`Could not write ${path}: ${found}.`, { hint: "Name a place that you may write to.", cause });
}
