import { UserError } from "../errors.ts";

/** What a member's name in a layer means; `path` is relative to the root, which itself is "". */
export type LayerPlace =
  | { readonly kind: "entry"; readonly path: string }
  /** What is at `path` in the layers below is not there any more. */
  | { readonly kind: "whiteout"; readonly path: string }
  /** The directory hides all that it has in the layers below. */
  | { readonly kind: "opaque"; readonly path: string }
  /** A storage driver's own note, to be passed over. */
  | { readonly kind: "note" };

/** How names of deletion marks start, and that of a directory that hides everything below. */
export const whiteoutPrefix = ".wh.";
export const opaqueMarker = ".wh..wh..opq";

const notePrefix = ".wh..wh.";
const maximumPathLength = 4095;

/** Where a member goes; throws a UserError for a name that leads outside or marks nothing that could be. */
export function placeInLayer(written: string): LayerPlace {
  const parts = partsOf(written, written);
  const name = parts.at(-1) ?? "";
  const path = parts.join("/");
  if (!path.includes(whiteoutPrefix)) return { kind: "entry", path };
  const parents = parts.slice(0, -1);
  if (parents.some((part) => part.startsWith(notePrefix))) return { kind: "note" };
  if (parents.some((part) => part.startsWith(whiteoutPrefix)))
    throw refusedEntry(written, "it lies in a deletion mark");
  if (!name.startsWith(whiteoutPrefix)) return { kind: "entry", path };
  if (name === opaqueMarker) return { kind: "opaque", path: parents.join("/") };
  if (name.startsWith(notePrefix)) return { kind: "note" };
  const hidden = name.slice(whiteoutPrefix.length);
  if (hidden === "" || hidden === "." || hidden === "..")
    throw refusedEntry(written, "it deletes nothing that has a name");
  return { kind: "whiteout", path: [...parents, hidden].join("/") };
}

/** Where a hard link of the entry leads, relative to the root; throws a UserError when that is outside. */
export function linkedPlace(target: string, entryPath: string): string {
  if (target === "") throw refusedEntry(entryPath, "it is a link to nothing");
  return partsOf(target, entryPath).join("/");
}

/** Absolute names are the root's. */
function partsOf(name: string, entryPath: string): string[] {
  if (name.length > maximumPathLength) throw refusedEntry(entryPath.slice(0, 100), "its name is too long");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refusedEntry(entryPath, "it leads outside");
  return parts;
}

/** The directory something is in. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The UserError for an entry that cannot be unpacked. */
export function refusedEntry(path: string, reason: string): UserError {
  return new UserError(`The layer's entry ${JSON.stringify(path)} cannot be unpacked: ${reason}.`, {
    hint: "Use another version of the image, or tell whoever publishes it: cooper image validate names all such entries.",
  });
}
