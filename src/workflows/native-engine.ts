import type { Engine } from "../runtime/engine.ts";
import { noEngine } from "../runtime/no-engine.ts";
import { inspectImages } from "../runtime/stored-images.ts";
import { openStore } from "./open-image-store.ts";
import type { Tools } from "./tools.ts";

/** cooper's own engine in the place of a client's: its images are those of cooper's store, and it takes no commands. */
export function openNativeEngine(tools: Tools): Engine {
  return {
    ...noEngine,
    kind: "native",
    inspectImages: async (references) => inspectImages(openStore(tools), references),
  };
}
