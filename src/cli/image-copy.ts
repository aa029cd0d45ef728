import { parseImageOutput, parseImageTransport } from "../oci/transport.ts";
import type { CliCommand } from "./command.ts";
import { COPY_FLAGS, checkTwoWords, runCopy } from "./copy-flags.ts";

/** `image copy SOURCE DESTINATION`: from anywhere to anywhere, the same bytes. */
export const imageCopy: CliCommand = {
  name: "copy",
  description: "Copy an image between registries, layouts, archives, engines and the store, byte by byte",
  flags: COPY_FLAGS,
  positionals: { kind: "words", atMost: 2 },
  words: "source destination",
  check: (flags) => checkTwoWords(flags, "an image and where it goes"),
  run: (flags, tools) =>
    runCopy({ flags, tools, description: "An error occurred copying the image." }, () => {
      const [source = "", destination = ""] = flags.positionals;
      return { source: parseImageTransport(source), destination: parseImageOutput(destination) };
    }),
};
