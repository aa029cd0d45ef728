import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { Tools } from "../workflows/tools.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** Where a request is read from. */
export const REQUEST_FLAGS = {
  request: { type: "string", valueHint: "file", description: 'Read the request from this file instead of stdin ("-")' },
} as const satisfies FlagDefinitions;

/** The text of the request: of the file, else of stdin, which is also called `-`; throws UserError when stdin is a terminal. */
export async function readRequestText(flags: Flags, tools: Tools): Promise<string> {
  const file = flags.string("request");
  if (file === undefined || file === "-") {
    if (process.stdin.isTTY) {
      throw new UserError("There is no request: stdin is a terminal.", {
        hint: "Pipe it in as JSON, or name a file with --request.",
      });
    }
    return Bun.stdin.text();
  }
  const path = resolve(tools.workingDirectory, file);
  return readFile(path, "utf8").catch((cause) => {
    throw new UserError(`Could not read the request ${path}: ${messageOf(cause)}.`, { cause });
  });
}
