import { APPEND_FLAGS, readAppendRequest } from "./assemble-flags.ts";
import type { CliCommand } from "./command.ts";
import { UsageError } from "./flags.ts";
import { runAssembly } from "./run-assembly.ts";

/** `image append`: layers onto an image, without an engine. */
export const imageAppend: CliCommand = {
  name: "append",
  description: "Put folders or tars as layers on an image, without an engine",
  flags: APPEND_FLAGS,
  positionals: { kind: "words", atMost: Number.POSITIVE_INFINITY },
  words: "base layer…",
  check: (flags) => {
    if (flags.positionals.length > 1) return;
    throw new UsageError("Not enough arguments: wanted an image, and the folders or tars to put on it.");
  },
  run: (flags, tools) =>
    runAssembly({ flags, tools, description: "An error occurred appending to the image." }, () =>
      readAppendRequest(flags, tools),
    ),
};
