import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";
import { UserError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import type { Tools } from "./tools.ts";

/** The user's own configuration of cooper: `$XDG_CONFIG_HOME/cooper/config.jsonc`. */
export interface UserSettings {
  /** The engine's client to use where neither flag nor environment names one. */
  readonly dockerPath: string | undefined;
  /** Whether a repository's own commands (initializeCommand) may run on this host; undefined asks. */
  readonly hostCommands: boolean | undefined;
}

/** Reads the user's settings; absent file, absent settings. Throws UserError for one that cannot be understood. */
export function readUserSettings(tools: Pick<Tools, "environment" | "homeDirectory">): UserSettings {
  const configHome = tools.environment["XDG_CONFIG_HOME"] || join(tools.homeDirectory, ".config");
  const file = join(configHome, "cooper", "config.jsonc");
  const text = readIfThere(file);
  if (text === undefined) return { dockerPath: undefined, hostCommands: undefined };
  const errors: ParseError[] = [];
  const settings: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || !isJsonObject(settings)) {
    const found = first === undefined ? "no JSON object" : printParseErrorCode(first.error);
    throw new UserError(`Could not read ${file}: ${found}.`, {
      hint: "It holds a JSON object with comments, or nothing.",
    });
  }
  const dockerPath = settings["docker_path"] ?? undefined;
  if (dockerPath !== undefined && typeof dockerPath !== "string") {
    throw new UserError(`docker_path in ${file} is ${JSON.stringify(dockerPath)}; wanted a string.`);
  }
  const hostCommands = settings["host_commands"] ?? undefined;
  if (hostCommands !== undefined && typeof hostCommands !== "boolean") {
    throw new UserError(`host_commands in ${file} is ${JSON.stringify(hostCommands)}; wanted true or false.`);
  }
  return { dockerPath, hostCommands };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
