import { messageOf, UserError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { Tools } from "../workflows/tools.ts";
import { reportFailure } from "./report-failure.ts";

/**
 * Runs a command whose contract is one JSON document on stdout in every outcome: `work`'s result after `outcome: "success"`, or
 * what `printFailure` prints; resolves to the exit code.
 */
export async function printOutcome(
  tools: Tools,
  description: string,
  work: () => Promise<JsonObject>,
): Promise<number> {
  try {
    const result = await work();
    tools.terminal.writeData(`${JSON.stringify({ outcome: "success", ...result })}\n`);
    return 0;
  } catch (error) {
    return printFailure(tools, description, error);
  }
}

/** Tells a failure on stderr and, as `outcome: "error"` with message and description, on stdout; gives the exit code. */
export function printFailure(tools: Tools, description: string, error: unknown): number {
  const own = error instanceof UserError ? error.description : undefined;
  const exitCode = reportFailure(error, tools);
  const data = error instanceof UserError ? error.data : {};
  const document = { outcome: "error", message: messageOf(error), description: own ?? description, ...data };
  tools.terminal.writeData(`${JSON.stringify(document)}\n`);
  return exitCode;
}
