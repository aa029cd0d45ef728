import type { Fault } from "./fault.ts";

/** An entry of a layer as its headers describe it. */
export type ScannedEntry = {
  readonly path: string;
  readonly target: string;
  /** One ASCII character, as in the header. */
  readonly typeFlag: string;
  readonly size: number;
};

const knownTypes: ReadonlySet<string> = new Set(["0", "1", "2", "3", "4", "5", "6", "7"]);
const opaqueMarker = ".wh..wh..opq";
const shown = 20;
/** More names than any image has are not kept: what is checked must not take what memory there is. */
const keptNames = 5_000_000;

/** Checks the entries of one layer in their order, and adds to `faults` each that must not be unpacked. */
export function createEntryCheck(place: string, faults: Fault[]): (entry: ScannedEntry) => void {
  const symlinks = new Set<string>();
  const files = new Set<string>();
  let found = 0;
  return (entry) => {
    const parts = entry.path.split("/").filter((part) => part !== "" && part !== ".");
    const path = parts.join("/");
    const problem = problemOf(entry, { parts, path, symlinks, files });
    if (entry.typeFlag === "2" && symlinks.size < keptNames) symlinks.add(path);
    if (entry.typeFlag !== "5" && files.size < keptNames) files.add(path);
    if (problem === undefined) return;
    found += 1;
    if (found > shown) return;
    faults.push({ kind: "entry", place, problem: `the entry ${JSON.stringify(entry.path)} ${problem}` });
  };
}

type Context = {
  readonly parts: readonly string[];
  readonly path: string;
  readonly symlinks: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
};

function problemOf(entry: ScannedEntry, { parts, path, symlinks, files }: Context): string | undefined {
  const { typeFlag, target } = entry;
  const isDirectory = typeFlag === "5" || entry.path.endsWith("/");
  if (!knownTypes.has(typeFlag)) return `has the unknown type ${JSON.stringify(typeFlag)}`;
  if (path === "" && !isDirectory) return "has no name";
  if (parts.includes("..")) return "leads outside";
  if (entry.path.startsWith("/")) return "has an absolute name";
  if (parts.some((part) => part.length > 255)) return "has a part longer than 255 characters";
  const through = parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("/"));
  const symlink = through.find((parent) => symlinks.has(parent));
  if (symlink !== undefined) return `lies behind the symlink ${JSON.stringify(symlink)} of the same layer`;
  if (!isDirectory && files.has(path)) return "comes twice";
  if ((typeFlag === "1" || typeFlag === "2") && target === "") return "is a link to nothing";
  if (typeFlag === "1" && target.split("/").includes(".."))
    return `is a hard link that leads outside, to ${JSON.stringify(target)}`;
  if (typeFlag !== "0" && typeFlag !== "7" && entry.size > 0) return "is no file and yet has content";
  const name = parts.at(-1) ?? "";
  const isWhiteout = name.startsWith(".wh.") && name !== opaqueMarker;
  const hides = name.slice(".wh.".length);
  // Names after ".wh..wh." are reserved: storage drivers keep their own notes there.
  if (isWhiteout && (hides === "" || hides === "." || hides === "..")) return "is a whiteout of no name";
  return undefined;
}
