import { parsePlatform } from "../oci/platform.ts";
import { parseImageTransport } from "../oci/transport.ts";
import { type Inspection, inspectImage } from "../workflows/inspect-image.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import { UsageError } from "./flags.ts";
import { printFailure } from "./outcome.ts";
import { REGISTRY_FLAGS, withImageFlags } from "./registry-flags.ts";
import { renderImage } from "./render-image.ts";

/** `image inspect IMAGE`: its facts, as lines with a picture of its layers on a terminal, else as one JSON document. */
export const imageInspect: CliCommand = {
  name: "inspect",
  description: "Show an image's configuration, history and layers",
  flags: {
    platform: {
      type: "string",
      valueHint: "os/arch",
      description: "Which of its images (default: this machine's, else the first)",
    },
    json: { type: "boolean", description: "Print one JSON document on a terminal too" },
    "docker-path": ENGINE_FLAGS["docker-path"],
    ...REGISTRY_FLAGS,
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 1 },
  words: "image",
  check: (flags) => {
    if (flags.positionals.length === 0) throw new UsageError("Not enough arguments: wanted an image.");
  },
  run: async (flags, tools) => {
    const [image = ""] = flags.positionals;
    const written = flags.string("platform");
    try {
      const platform = written === undefined ? undefined : parsePlatform(written);
      const inspection = await inspectImage(parseImageTransport(image), withImageFlags(flags, tools), { platform });
      const asJson = flags.boolean("json") || !tools.terminal.dataIsLive;
      const { columns } = tools.terminal;
      tools.terminal.writeData(
        asJson ? toJson(image, inspection) : renderImage(image, inspection, { columns: columns() }),
      );
      return 0;
    } catch (error) {
      return printFailure(tools, "An error occurred inspecting the image.", error);
    }
  },
};

function toJson(image: string, inspection: Inspection): string {
  return `${JSON.stringify({ outcome: "success", image, ...inspection })}\n`;
}
