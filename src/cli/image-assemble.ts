import { ASSEMBLE_FLAGS, readAssembleRequest } from "./assemble-flags.ts";
import type { CliCommand } from "./command.ts";
import { UsageError } from "./flags.ts";
import { runAssembly } from "./run-assembly.ts";

/** `image assemble`: an image of a folder, without an engine. */
export const imageAssemble: CliCommand = {
  name: "assemble",
  description: "Make an image of a folder, without an engine: the same bytes every time",
  flags: ASSEMBLE_FLAGS,
  positionals: { kind: "words", atMost: 1 },
  words: "dir",
  check: (flags) => {
    if (flags.positionals.length > 0) return;
    throw new UsageError("Not enough arguments: wanted the folder to make an image of.");
  },
  run: (flags, tools) =>
    runAssembly({ flags, tools, description: "An error occurred assembling the image." }, () =>
      readAssembleRequest(flags, tools),
    ),
};
