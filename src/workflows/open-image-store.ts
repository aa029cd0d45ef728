import { join } from "node:path";
import { dataDirectory } from "../store/directories.ts";
import { type ImageStore, openImageStore } from "../store/image-store.ts";
import type { RemoveTree } from "../store/work-directory.ts";
import type { Tools } from "./tools.ts";

/** cooper's own images on this machine; `removeTree` is for files of subordinate ids, where there can be some. */
export function openStore(
  tools: Pick<Tools, "environment" | "homeDirectory" | "interruption" | "log">,
  removeTree?: RemoveTree,
): ImageStore {
  return openImageStore(join(dataDirectory(tools), "store"), {
    signal: tools.interruption.signal,
    tell: tools.log.info,
    ...(removeTree === undefined ? {} : { removeTree }),
  });
}
