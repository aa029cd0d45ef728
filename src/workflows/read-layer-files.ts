import { posix } from "node:path";
import { UserError } from "../errors.ts";
import type { BlobSource } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Image } from "../oci/image.ts";
import { createLayerTree, type LayerChange, type LayerTree, parentsOf } from "../oci/layer-tree.ts";
import { createTarStream, type TarStreamEntry } from "../oci/tar-stream.ts";
import { decompressChunks } from "../store/decompress-chunks.ts";

/** Files to look for in an image, by absolute path. */
export interface WantedFiles {
  readonly image: Pick<Image, "layers">;
  /** How the image is called in messages. */
  readonly what: string;
  readonly paths: readonly string[];
  /** Whether a file's text is wanted, with a symlink in its place followed; else only that there is something. */
  readonly isText: (path: string) => boolean;
  /** The text of what is there; `content` is undefined for what is no file, or a very large one. */
  readonly readText: (content: Uint8Array | undefined) => string;
}

/** Longer ones are not read. */
export const maximumText: number = 1024 * 1024;
/** Of all texts of all layers: an image must not take what memory there is. */
const maximumKept = 64 * 1024 * 1024;
const maximumRounds = 8;

/**
 * The wanted files that an image has, read from its layers without unpacking them: their text where it is wanted, else empty. Layers are
 * read from the topmost down until nothing below can matter, each to its end and verified before it counts. Throws UserError for a
 * damaged layer.
 */
export async function readLayerFiles(source: BlobSource, wanted: WantedFiles): Promise<ReadonlyMap<string, string>> {
  let watched = watchedAtFirst(wanted.paths);
  for (let round = 1; ; round += 1) {
    const tree = await scanLayers(source, wanted, watched);
    for (const path of wanted.paths) tree.find(path, { follow: wanted.isText(path) });
    const unknown = [...tree.visited].filter((path) => !watched.has(path));
    if (unknown.length === 0) return findAll(tree, wanted);
    if (round === maximumRounds)
      throw new UserError(`${wanted.what} cannot be looked into: its ${unknown[0]} is behind too many symlinks.`);
    // A link leads where nobody looked: everything is read again with an eye on that.
    watched = new Set([...watched, ...unknown]);
  }
}

/** The paths and their folders, and where they are in an image that has its programs and libraries in /usr alone. */
function watchedAtFirst(paths: readonly string[]): ReadonlySet<string> {
  const merged = paths.filter((path) => /^\/(?:bin|sbin|lib|lib64)\//.test(path)).map((path) => `/usr${path}`);
  return new Set([...paths, ...merged].flatMap((path) => [...parentsOf(path), path]));
}

async function scanLayers(
  source: BlobSource,
  { image, what, paths, isText }: WantedFiles,
  watched: ReadonlySet<string>,
): Promise<LayerTree> {
  const layers: LayerChange[][] = [];
  // What is not asked for its text may be where a link leads that is.
  const folders = new Set(paths.flatMap(parentsOf));
  const keeps = (path: string) => isText(path) || !(paths.includes(path) || folders.has(path));
  const budget = { left: maximumKept };
  for (const [index, layer] of [...image.layers.entries()].reverse()) {
    const place = `Layer ${index + 1} of ${what}`;
    layers.unshift(await scanLayer(source, { layer, place, watched, keeps, budget }));
    const tree = createLayerTree(layers);
    if (paths.every(tree.isSettled)) return tree;
  }
  return createLayerTree(layers);
}

interface LayerScan {
  readonly layer: Descriptor;
  readonly place: string;
  readonly watched: ReadonlySet<string>;
  readonly keeps: (path: string) => boolean;
  /** How many bytes of texts may still be kept. */
  readonly budget: { left: number };
}

async function scanLayer(source: BlobSource, { layer, place, watched, keeps, budget }: LayerScan) {
  // A path's later entry takes the place of an earlier one, and only its content is kept.
  const changes = new Map<string, () => LayerChange>();
  let take: TakeContent | undefined;
  const stream = createTarStream({
    entry: (entry) => {
      take = undefined;
      const path = posix.join("/", entry.path).replace(/(?<=.)\/$/, "");
      const hiding = hidingChange(path);
      const change = hiding ?? entryChange(entry, path);
      if (!watched.has(change.path)) return;
      const key = `${hiding === undefined ? "put" : hiding.kind} ${change.path}`;
      changes.delete(key);
      const kept = change.kind === "file" && keeps(path) && entry.size <= maximumText ? keepContent(budget) : undefined;
      changes.set(key, () => (change.kind === "file" ? { ...change, content: kept?.whole() } : change));
      take = kept?.take;
    },
    content: (bytes) => take?.(bytes),
  });
  const read = await decompressChunks(source.open(layer), stream.push).catch((error) => {
    throw error instanceof UserError
      ? new UserError(`${place} (${layer.digest}) cannot be read: ${error.message}`, { cause: error })
      : error;
  });
  // Engines read layers without the zero blocks at their end.
  const ending = stream.end();
  const wrong = read.problem ?? (ending?.isCut === true ? ending.problem : undefined);
  if (wrong !== undefined) throw new UserError(`${place} (${layer.digest}) cannot be read: ${wrong}.`);
  if (budget.left < 0)
    throw new UserError(`${place} is not looked into: the texts wanted of it have more than ${maximumKept} bytes.`);
  return [...changes.values()].map((change) => change());
}

/** Gets a part of an entry's content, only valid during the call. */
type TakeContent = (part: Uint8Array) => void;

function keepContent(budget: { left: number }): { readonly take: TakeContent; readonly whole: () => Uint8Array } {
  const parts: Uint8Array[] = [];
  const take = (part: Uint8Array) => {
    budget.left -= part.length;
    if (budget.left >= 0) parts.push(part.slice());
  };
  return { take, whole: () => Buffer.concat(parts) };
}

/** The change of a whiteout's entry (OCI image spec, "Whiteouts"). */
function hidingChange(path: string): LayerChange | undefined {
  const name = posix.basename(path);
  if (name === ".wh..wh..opq") return { kind: "opaque", path: posix.dirname(path) };
  if (!name.startsWith(".wh.")) return undefined;
  return { kind: "whiteout", path: posix.join(posix.dirname(path), name.slice(".wh.".length)) };
}

function entryChange({ typeFlag, path: written, target }: TarStreamEntry, path: string): LayerChange {
  switch (typeFlag) {
    case "0":
    case "7":
      // The v7 format knew no directories, only names that end in a slash.
      return written.endsWith("/") ? { kind: "directory", path } : { kind: "file", path, content: undefined };
    case "1":
      return { kind: "hardlink", path, target };
    case "2":
      return { kind: "symlink", path, target };
    case "5":
      return { kind: "directory", path };
    default:
      return { kind: "other", path };
  }
}

function findAll(tree: LayerTree, { paths, isText, readText }: WantedFiles): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const there = tree.find(path, { follow: isText(path) });
    if (there.kind === "absent") continue;
    found.set(path, isText(path) ? readText(there.kind === "file" ? there.content : undefined) : "");
  }
  return found;
}
