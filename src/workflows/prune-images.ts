import { UserError } from "../errors.ts";
import { hexOf } from "../oci/digest.ts";
import type { RetentionRule } from "../oci/retention.ts";
import { type FoundImage, madeImages, supersededImages } from "../plan/made-images.ts";
import { containersByImage, removeEngineImage } from "../runtime/engine-images.ts";
import { type PrunedStore, pruneStore } from "../store/prune-store.ts";
import type { StoredContents } from "../store/stored-contents.ts";
import { type EngineImages, findEngineImages, type ImagePlaces, toFoundImage } from "./find-images.ts";
import { openStore } from "./open-image-store.ts";
import type { Tools } from "./tools.ts";
import { withTreeRemover } from "./with-tree-remover.ts";

/** What is to be pruned: superseded images where neither an age nor a size is given. */
export interface PruneRequest {
  readonly places: ImagePlaces;
  /** Milliseconds since 1970: in the store all that was not used since goes, in an engine superseded images made before. */
  readonly usedBefore: number | undefined;
  /** Bytes that may stay in the store. */
  readonly keepSize: number | undefined;
  readonly dryRun: boolean;
}

/** What was removed, or would be, and what would have been but for `reason`. */
export interface PrunedImages {
  readonly removed: readonly FoundImage[];
  readonly kept: readonly { readonly image: FoundImage; readonly reason: string }[];
  /** Bytes of the store. */
  readonly freed: number;
}

const PATIENCE = 60_000;

/** Removes images that are no longer needed from cooper's store, with all that was kept for them, and superseded ones from the engine. */
export async function pruneImages(request: PruneRequest, tools: Tools): Promise<PrunedImages> {
  const found = await findEngineImages(request.places, tools);
  const inEngine = found === undefined ? { removed: [], kept: [] } : await pruneEngine(found, request);
  if (request.places.scope === "engine") return { ...inEngine, freed: 0 };
  const { images, garbage } = await pruneOwn(request, tools);
  return {
    removed: [...inEngine.removed, ...images.map(toFoundImage)],
    kept: inEngine.kept,
    freed: garbage.size,
  };
}

async function pruneEngine(
  { engine, labelled }: EngineImages,
  { usedBefore = Number.POSITIVE_INFINITY, dryRun }: PruneRequest,
): Promise<Pick<PrunedImages, "removed" | "kept">> {
  const superseded = supersededImages(madeImages(labelled)).filter(({ time }) => time < usedBefore);
  const users = await containersByImage(engine);
  const removed: FoundImage[] = [];
  const kept: { image: FoundImage; reason: string }[] = [];
  // What was built on another one goes first.
  for (const image of superseded.toSorted((left, right) => right.time - left.time)) {
    const containers = users.get(image.id) ?? [];
    const reason =
      containers.length > 0
        ? `in use by ${containers.join(", ")}`
        : dryRun
          ? undefined
          : await removeEngineImage(engine, image);
    if (reason === undefined) removed.push(image);
    else kept.push({ image, reason });
  }
  return { removed, kept };
}

async function pruneOwn(request: PruneRequest, tools: Tools): Promise<PrunedStore> {
  const rule = (images: readonly StoredContents[]) => ruleFor(images, request);
  const options = { rule, dryRun: request.dryRun, patience: PATIENCE };
  const pruned = await withTreeRemover(tools, (remove) => pruneStore(openStore(tools, remove), options));
  if (pruned !== undefined) return pruned;
  throw new UserError("Another cooper has been using the store for a minute: nothing was removed from it.", {
    hint: "Run it again once the build or copy has ended.",
  });
}

function ruleFor(images: readonly StoredContents[], { usedBefore, keepSize }: PruneRequest): RetentionRule {
  if (usedBefore !== undefined || keepSize !== undefined) return { kind: "unused", usedBefore, keepSize };
  const superseded = new Set(supersededImages(madeImages(images.map(toFoundImage))).map(({ id }) => id));
  const digests = images.map(({ root }) => root.digest).filter((digest) => superseded.has(hexOf(digest)));
  return { kind: "superseded", images: new Set(digests) };
}
