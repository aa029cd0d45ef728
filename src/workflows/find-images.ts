import { UserError } from "../errors.ts";
import { hexOf } from "../oci/digest.ts";
import { formatPlatform, normalizePlatform } from "../oci/platform.ts";
import { type FoundImage, madeImages } from "../plan/made-images.ts";
import type { Engine } from "../runtime/engine.ts";
import { listLabelledImages } from "../runtime/engine-images.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { readContents, type StoredContents } from "../store/stored-contents.ts";
import { engineCandidates } from "./open-engine.ts";
import { openStore } from "./open-image-store.ts";
import type { Tools } from "./tools.ts";

/** Where images are looked for. */
export interface ImagePlaces {
  readonly scope: "all" | "store" | "engine";
  readonly dockerPath: string | undefined;
}

/** An engine that answered, and the images in its store that have cooper's label, their own or a base's. */
export interface EngineImages {
  readonly engine: Engine;
  readonly labelled: readonly FoundImage[];
}

/** The images that cooper made in the engine that is found, if one is, and all of cooper's own store. */
export async function findImages(places: ImagePlaces, tools: Tools): Promise<readonly FoundImage[]> {
  const inEngine = await findEngineImages(places, tools);
  const stored = places.scope === "engine" ? [] : readContents(openStore(tools)).map(toFoundImage);
  return [...madeImages(inEngine?.labelled ?? []), ...stored];
}

/**
 * Asks the engine for its images; undefined where none is to be asked, or none answers. Throws a UserError for that when it was asked for
 * by name, or alone.
 */
export async function findEngineImages(
  { scope, dockerPath }: ImagePlaces,
  tools: Tools,
): Promise<EngineImages | undefined> {
  if (scope === "store") return undefined;
  const isMeant = scope === "engine" || dockerPath !== undefined;
  let candidates: ReturnType<typeof engineCandidates>;
  try {
    candidates = engineCandidates(dockerPath, tools);
  } catch (error) {
    if (isMeant || !(error instanceof UserError)) throw error;
    tools.log.debug(error.message);
    return undefined;
  }
  try {
    const { engine, answer } = await reachEngine(candidates, listLabelledImages);
    return { engine, labelled: answer };
  } catch (error) {
    if (isMeant || !(error instanceof UserError)) throw error;
    tools.log.warning(`Only cooper's own images are looked at. ${error.message}`);
    return undefined;
  }
}

/** An image of cooper's store as one of those that were found; what labels say is what they say for this machine. */
export function toFoundImage({ root, names, lastUsed, blobs, diffIds, images }: StoredContents): FoundImage {
  const machine = formatPlatform(normalizePlatform({ os: "linux", architecture: process.arch }));
  const image = images.find(({ platform }) => platform === machine) ?? images[0];
  return {
    id: hexOf(root.digest),
    where: "store",
    names,
    created: image?.created,
    time: lastUsed,
    size: [...blobs.values()].reduce((sum, size) => sum + size, 0),
    labels: image?.labels ?? {},
    layers: [...diffIds],
  };
}
