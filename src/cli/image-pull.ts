import { UserError } from "../errors.ts";
import { parseImageOutput, parseImageTransport } from "../oci/transport.ts";
import type { CliCommand } from "./command.ts";
import { COPY_FLAGS, checkTwoWords, runCopy } from "./copy-flags.ts";

/** `image pull REFERENCE DESTINATION`: from a registry. */
export const imagePull: CliCommand = {
  name: "pull",
  description: "Pull an image from a registry into a layout, an archive, an engine or the store",
  flags: COPY_FLAGS,
  positionals: { kind: "words", atMost: 2 },
  words: "reference destination",
  check: (flags) => checkTwoWords(flags, "a name in a registry and where its image goes, such as image.tar"),
  run: (flags, tools) =>
    runCopy({ flags, tools, description: "An error occurred pulling the image." }, () => {
      const [written = "", destination = ""] = flags.positionals;
      const source = parseImageTransport(written);
      if (source.kind !== "registry") {
        throw new UserError(`${JSON.stringify(written)} is no name in a registry, which is where pull reads.`, {
          hint: `To copy it from there: cooper image copy ${written} ${destination}`,
        });
      }
      return { source, destination: parseImageOutput(destination) };
    }),
};
