import { Interrupted, messageOf, UserError } from "../errors.ts";
import type { Tools } from "../workflows/tools.ts";

/** Tells a failure on stderr, an expected one by message and hint, a bug with its stack at level trace; gives the exit code. */
export function reportFailure(error: unknown, tools: Tools): number {
  if (error instanceof Interrupted) {
    tools.log.error(error.message);
    return error.exitCode;
  }
  const system = systemErrorHint(error);
  const hint = (error instanceof UserError ? error.hint : undefined) ?? system;
  tools.log.error(`${messageOf(error)}${hint === undefined ? "" : `\n${hint}`}`);
  if (error instanceof Error) tools.log.trace(error.stack ?? "");
  if (!(error instanceof UserError) && system === undefined)
    tools.log.error("This is a bug in cooper; --log-level trace shows where.");
  return 1;
}

/** What to do about a failure of the operating system, which is nobody's bug; undefined for any other error. */
function systemErrorHint(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error && "syscall" in error ? error.code : undefined;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "The disk is full: free some space and run the same command again.";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "cooper may not write there: make it writable, or move its folders with XDG_CACHE_HOME and XDG_STATE_HOME.";
    case "EMFILE":
    case "ENFILE":
      return "Too many files are open: raise the limit with ulimit -n.";
    default:
      return undefined;
  }
}
