import type { Stats } from "node:fs";
import { UserError } from "../errors.ts";

/** The UserError for something that is not what it was a moment ago, by name. */
export function changedMeanwhile(absolute: string): UserError {
  return new UserError(`${absolute} changed while it was read.`, {
    hint: "Nothing was written. Stop what writes there and repeat, or leave it out with --exclude or .dockerignore.",
  });
}

/** The UserError for something that cannot be read, by name. */
export function unreadable(path: string, cause: unknown): UserError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  // What is no UTF-8 was replaced, and then there is nothing of that name.
  if (code === "ENOENT" && path.includes("\ufffd")) {
    return new UserError(`${path} cannot be in an image: its name is not UTF-8.`, {
      hint: "Rename it, or leave it out with --exclude or .dockerignore.",
      cause,
    });
  }
  const found =
    code === "EACCES" || code === "EPERM"
      ? "permission denied"
      : code === "ENOENT"
        ? "it is gone"
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new UserError(`Could not read ${path}: ${found}.`, {
    hint: "Nothing was written. Make it readable, or leave it out with --exclude or .dockerignore.",
    cause,
  });
}

/** The UserError for something that no image can hold, by name. */
export function unfit(absolute: string, stats: Stats): UserError {
  return new UserError(`${absolute} cannot be in an image: it is a ${specialKind(stats)}.`, {
    hint: "Remove it, or leave it out with --exclude or .dockerignore.",
  });
}

function specialKind(stats: Stats): string {
  if (stats.isSocket()) return "socket";
  return stats.isFIFO() ? "named pipe" : "device";
}
