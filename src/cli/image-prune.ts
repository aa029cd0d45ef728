import { formatSize } from "../host/format-size.ts";
import { type PrunedImages, pruneImages } from "../workflows/prune-images.ts";
import type { CliCommand } from "./command.ts";
import { type Flags, UsageError } from "./flags.ts";
import { checkImagePlaces, IMAGE_PLACE_FLAGS, readImagePlaces } from "./image-places.ts";
import { printFailure } from "./outcome.ts";
import { parseAge } from "./parse-age.ts";
import { parseSize } from "./parse-size.ts";
import { imageJson, renderImages } from "./render-images.ts";

/** `image prune`: superseded images go or, in cooper's store, what was not used for long or is too much. */
export const imagePrune: CliCommand = {
  name: "prune",
  description: "Remove superseded images, or those not used for long, and what was kept for them",
  flags: {
    until: {
      type: "string",
      valueHint: "age",
      description:
        "From the store all that was not used for so long, such as 72h or 30d; from the engine superseded images made before",
    },
    "keep-size": {
      type: "string",
      valueHint: "size",
      description: "From the store the least recently used images, until it has at most so much, such as 10GB",
    },
    "dry-run": { type: "boolean", description: "Remove nothing, only say what would be" },
    json: { type: "boolean", description: "Print one JSON document" },
    ...IMAGE_PLACE_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkImagePlaces(flags);
    if (flags.boolean("engine") && flags.string("keep-size") !== undefined) {
      throw new UsageError("--keep-size is for cooper's own store: it does not go with --engine.");
    }
  },
  run: async (flags, tools) => {
    const asJson = flags.boolean("json");
    try {
      const dryRun = flags.boolean("dry-run");
      const pruned = await pruneImages({ places: readImagePlaces(flags), ...readLimits(flags), dryRun }, tools);
      tools.terminal.writeData(asJson ? toJson(pruned, dryRun) : renderImages(pruned.removed));
      for (const { image, reason } of pruned.kept) {
        tools.log.warning(`${image.names.join(", ") || image.id.slice(0, 12)} stays in ${image.where}: ${reason}`);
      }
      tools.log.info(sayRemoved(pruned, dryRun));
      return 0;
    } catch (error) {
      if (!asJson) throw error;
      return printFailure(tools, "An error occurred pruning images.", error);
    }
  },
};

function readLimits(flags: Flags) {
  const [age, size] = [flags.string("until"), flags.string("keep-size")];
  return {
    usedBefore: age === undefined ? undefined : Date.now() - parseAge(age, "--until"),
    keepSize: size === undefined ? undefined : parseSize(size, "--keep-size"),
  };
}

function toJson({ removed, kept, freed }: PrunedImages, dryRun: boolean): string {
  const document = {
    outcome: "success",
    dryRun,
    removed: removed.map(imageJson),
    kept: kept.map(({ image, reason }) => ({ ...imageJson(image), reason })),
    freed,
  };
  return `${JSON.stringify(document)}\n`;
}

function sayRemoved({ removed, freed }: PrunedImages, dryRun: boolean): string {
  const images = removed.length === 1 ? "1 image" : `${removed.length} images`;
  return `${dryRun ? "Would remove" : "Removed"} ${images}; ${formatSize(freed)} of cooper's store.`;
}
