import { formatSize } from "../host/format-size.ts";
import type { JsonObject } from "../json.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { ImageOutput, ImageTransport } from "../oci/transport.ts";
import { type CopyRequest, copyImage } from "../workflows/copy-image.ts";
import type { Tools } from "../workflows/tools.ts";
import { ENGINE_FLAGS, LOG_FLAGS, logSettings } from "./flag-groups.ts";
import { type FlagDefinitions, type Flags, UsageError } from "./flags.ts";
import { printOutcome } from "./outcome.ts";
import { REGISTRY_FLAGS, withImageFlags } from "./registry-flags.ts";
import { createTransferView } from "./transfer-view.ts";

/** The options of everything that copies an image. */
export const COPY_FLAGS = {
  platform: {
    type: "string",
    multiple: true,
    valueHint: "os/arch",
    description:
      "Which of an image's platforms, several with commas, or all (default: all, into store: this machine's)",
  },
  tag: { type: "string", short: "t", multiple: true, valueHint: "name", description: "One more name for it there" },
  "docker-path": ENGINE_FLAGS["docker-path"],
  ...REGISTRY_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** Throws a UsageError unless there are two words: what is copied, and where to. */
export function checkTwoWords(flags: Flags, words: string): void {
  if (flags.positionals.length < 2) throw new UsageError(`Not enough arguments: wanted ${words}.`);
}

function readPlatforms(written: readonly string[]): CopyRequest["platforms"] {
  const texts = written.flatMap((text) => text.split(","));
  return texts.includes("all") ? "all" : texts.map(parsePlatform);
}

/** Copies as the options say, shows it on a terminal, and prints the result as one JSON document. */
export function runCopy(
  { flags, tools, description }: { flags: Flags; tools: Tools; description: string },
  readPlaces: () => { source: ImageTransport; destination: ImageOutput },
): Promise<number> {
  return printOutcome(tools, description, async (): Promise<JsonObject> => {
    const { source, destination } = readPlaces();
    const request: CopyRequest = {
      source,
      destination: destination.transport,
      references: [...destination.names, ...flags.list("tag")].map(parseImageReference),
      platforms: readPlatforms(flags.list("platform")),
      dockerPath: flags.string("docker-path"),
    };
    const { format, quiet } = logSettings(flags);
    const isShown = tools.terminal.messagesAreLive && format === "text" && !quiet;
    const view = createTransferView(tools.terminal, { isShown, now: Date.now });
    try {
      const { platforms, ...copied } = await copyImage(request, withImageFlags(flags, tools), { observer: view });
      view.end();
      const [, place = ""] = flags.positionals;
      const spared = copied.present + copied.mounted;
      const ofThem = spared === 0 ? "" : `, ${spared} of ${copied.blobs} blobs were there already`;
      tools.log.info(`${place}: ${copied.digest}, ${formatSize(copied.size)}${ofThem}`);
      return { ...copied, platforms: [...platforms] };
    } finally {
      view.end();
    }
  });
}
