import { UserError } from "../errors.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import { formatReference, parseImageReference } from "../oci/reference.ts";
import { type FoundImage, isSameName, madeImages } from "../plan/made-images.ts";
import { inspectFound, removeEngineImage } from "../runtime/engine-images.ts";
import { collectGarbage, findGarbage, readKept } from "../store/collect-garbage.ts";
import type { ImageStore } from "../store/image-store.ts";
import { type EngineImages, findEngineImages, type ImagePlaces } from "./find-images.ts";
import { openStore } from "./open-image-store.ts";
import type { Tools } from "./tools.ts";
import { withTreeRemover } from "./with-tree-remover.ts";

/** A name that is gone, or an id where the image had none. */
export interface RemovedName {
  readonly where: FoundImage["where"];
  readonly name: string;
}

type Removal =
  /** Names of an image of the store, or its digest, which stands for all of them. */
  | { readonly kind: "stored"; readonly name: string }
  | { readonly kind: "engine"; readonly image: Pick<FoundImage, "id" | "names" | "where"> };

/**
 * Removes names from cooper's store and from the engine that is found: with an image's last name the image. Throws a UserError, before
 * anything is removed, for one that is nowhere, or only in the engine and not made by cooper.
 */
export async function removeImages(
  references: readonly string[],
  places: ImagePlaces,
  tools: Tools,
): Promise<readonly RemovedName[]> {
  const store = openStore(tools);
  const found = await findEngineImages(places, tools);
  const removals: Removal[] = [];
  for (const written of references) {
    const { reference, scope } = readPlace(written, places);
    const stored = scope === "engine" ? undefined : findStored(store, reference);
    const image = found === undefined || scope === "store" ? undefined : await findInEngine(reference, found);
    if (stored === undefined && image === undefined) throw absent(reference, scope);
    if (image?.isMade === false && stored === undefined) throw notOurs(reference, found);
    if (image?.isMade === false) tools.log.info(`${reference} stays in ${image.where}: cooper did not make it.`);
    if (stored !== undefined) removals.push({ kind: "stored", name: stored });
    if (image?.isMade === true) removals.push({ kind: "engine", image });
  }
  const removed: RemovedName[] = [];
  for (const removal of removals) removed.push(...(await remove(removal, { store, found })));
  if (removals.some(({ kind }) => kind === "stored")) await collect(tools);
  return removed;
}

async function remove(
  removal: Removal,
  { store, found }: { readonly store: ImageStore; readonly found: EngineImages | undefined },
): Promise<readonly RemovedName[]> {
  switch (removal.kind) {
    case "stored":
      return (await store.untag([removal.name])).map((name) => ({ where: "store", name }));
    case "engine": {
      const { id, names, where } = removal.image;
      const problem = found === undefined ? undefined : await removeEngineImage(found.engine, removal.image);
      if (problem === undefined) return (names.length === 0 ? [id] : names).map((name) => ({ where, name }));
      throw new UserError(`Could not remove ${names.join(", ") || id} from ${where}: ${problem}`, {
        hint: "Remove the containers that use it first: cooper ps --all and cooper agent ps --all list them.",
      });
    }
  }
}

/** By name, or by at least twelve digits of its digest, which stand for all names. */
function findStored(store: ImageStore, reference: string): string | undefined {
  const [, digits] = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(reference) ?? [];
  const entries = store.entries();
  if (digits !== undefined) {
    const digests = new Set<Digest>(
      entries.map(({ digest }) => digest).filter((digest) => hexOf(digest).startsWith(digits)),
    );
    const [only, ...others] = digests;
    if (others.length > 0) throw new UserError(`${reference} is the beginning of ${digests.size} images' ids.`);
    if (only !== undefined) return only;
  }
  try {
    const parsed = parseImageReference(reference);
    const [entry] = store.find(parsed);
    return parsed.digest === undefined && entry !== undefined ? formatReference(parsed) : entry?.digest;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function findInEngine(reference: string, { engine, labelled }: EngineImages) {
  if (reference.startsWith("-")) throw new UserError(`${JSON.stringify(reference)} is not the name of an image.`);
  const [image] = await inspectFound(engine, [reference]);
  if (image === undefined) return undefined;
  const isMade = madeImages([...labelled.filter(({ id }) => id !== image.id), image]).includes(image);
  const named = image.names.filter((name) => isSameName(name, reference));
  return { ...image, names: named.length === 0 ? image.names : named, isMade };
}

/** Frees what the images had, unless somebody is just using the store: a later one does it then. */
async function collect(tools: Tools): Promise<void> {
  const done = await withTreeRemover(tools, (remove) => {
    const store = openStore(tools, remove);
    return store.alone(0, async () => {
      await collectGarbage(store, findGarbage(store, readKept(store)));
      return true;
    });
  });
  if (done === undefined) {
    tools.log.info("Another cooper is using the store: cooper image prune frees the space once it has ended.");
  }
}

/** A name may say its place, as everywhere: `store:NAME`, `engine:NAME`. */
function readPlace(written: string, { scope }: ImagePlaces): { reference: string; scope: ImagePlaces["scope"] } {
  const [, place, reference] = /^(store|engine):(.+)$/s.exec(written) ?? [];
  if (reference === undefined || (place !== "store" && place !== "engine")) return { reference: written, scope };
  if (scope === "all" || scope === place) return { reference, scope: place };
  throw new UserError(`${written} is in the ${place}, and only the ${scope} is to be looked at.`);
}

function absent(reference: string, scope: ImagePlaces["scope"]): UserError {
  const place = { all: "cooper's store nor the engine", store: "cooper's store", engine: "the engine" }[scope];
  const found = scope === "all" ? `Neither ${place} has` : `${place[0]?.toUpperCase()}${place.slice(1)} does not have`;
  return new UserError(`${found} an image called ${reference}.`, { hint: "cooper image list shows what there is." });
}

function notOurs(reference: string, found: EngineImages | undefined): UserError {
  const path = found?.engine.path ?? "docker";
  return new UserError(`${reference} was not made by cooper: it is not removed from ${path}.`, {
    hint: `To remove it all the same: ${path} image rm ${reference}`,
  });
}
