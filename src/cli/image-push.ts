import { UserError } from "../errors.ts";
import { parseImageTransport } from "../oci/transport.ts";
import type { CliCommand } from "./command.ts";
import { COPY_FLAGS, checkTwoWords, runCopy } from "./copy-flags.ts";

/** `image push SOURCE REFERENCE`: to a registry. */
export const imagePush: CliCommand = {
  name: "push",
  description: "Push an image of a layout, an archive, the store or a registry to a registry",
  flags: COPY_FLAGS,
  positionals: { kind: "words", atMost: 2 },
  words: "image reference",
  check: (flags) => checkTwoWords(flags, "an image and its name in a registry"),
  run: (flags, tools) =>
    runCopy({ flags, tools, description: "An error occurred pushing the image." }, () => {
      const [source = "", written = ""] = flags.positionals;
      const destination = parseImageTransport(written);
      if (destination.kind !== "registry") {
        throw new UserError(`${JSON.stringify(written)} is no name in a registry, which is where push goes.`, {
          hint: `To copy it there: cooper image copy ${source} ${written}`,
        });
      }
      return { source: parseImageTransport(source), destination: { transport: destination, names: [] } };
    }),
};
