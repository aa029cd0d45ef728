import { removeImages } from "../workflows/remove-images.ts";
import type { CliCommand } from "./command.ts";
import { UsageError } from "./flags.ts";
import { checkImagePlaces, IMAGE_PLACE_FLAGS, readImagePlaces } from "./image-places.ts";
import { printOutcome } from "./outcome.ts";

/** `image rm REF…`: names or ids; what cooper did not make goes from its own store alone. */
export const imageRm: CliCommand = {
  name: "rm",
  description: "Remove images that cooper made, or that are in its own store",
  flags: IMAGE_PLACE_FLAGS,
  positionals: { kind: "words", atMost: Number.POSITIVE_INFINITY },
  words: "image…",
  check: (flags) => {
    checkImagePlaces(flags);
    if (flags.positionals.length === 0) throw new UsageError("Not enough arguments: wanted an image.");
  },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred removing the image.", async () => {
      const removed = await removeImages(flags.positionals, readImagePlaces(flags), tools);
      for (const { where, name } of removed) tools.log.info(`Removed ${name} from ${where}.`);
      return { removed: removed.map(({ where, name }) => ({ where, name })) };
    }),
};
