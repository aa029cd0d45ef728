import { formatSize } from "../host/format-size.ts";
import { assembleImage } from "../workflows/assemble-image.ts";
import type { AssembleRequest } from "../workflows/assemble-request.ts";
import type { Tools } from "../workflows/tools.ts";
import { logSettings } from "./flag-groups.ts";
import type { Flags } from "./flags.ts";
import { printOutcome } from "./outcome.ts";
import { withImageFlags } from "./registry-flags.ts";
import { createTransferView } from "./transfer-view.ts";

/** Assembles as asked, shows a push on a terminal, and prints the result as one JSON document. */
export function runAssembly(
  { flags, tools, description }: { flags: Flags; tools: Tools; description: string },
  readRequest: () => AssembleRequest,
): Promise<number> {
  return printOutcome(tools, description, async () => {
    const { format, quiet } = logSettings(flags);
    const isShown = tools.terminal.messagesAreLive && format === "text" && !quiet;
    const view = createTransferView(tools.terminal, { isShown, now: Date.now });
    try {
      const { digest, size, platforms, layers, tags, path } = await assembleImage(
        readRequest(),
        { observer: view },
        withImageFlags(flags, tools),
      );
      view.end();
      tools.log.info(`${path ?? tags.join(", ")}: ${digest}, ${formatSize(size)}`);
      return {
        digest,
        size,
        platforms: [...platforms],
        layers: layers.map((layer) => ({ ...layer })),
        tags: [...tags],
        ...(path === undefined ? {} : { path }),
      };
    } finally {
      view.end();
    }
  });
}
