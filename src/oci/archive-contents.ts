import { UserError } from "../errors.ts";
import { readTar, type TarEntry } from "./tar.ts";

/** Something an archive puts into a folder; `path` is relative, normalised and inside that folder. */
export type ArchiveContent =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string };

/** How much an archive may bring before it is refused. */
export type ArchiveLimits = { readonly maximumEntries: number; readonly maximumBytes: number };

/** Generous for a Feature or template, harmless for a machine. */
export const defaultArchiveLimits: ArchiveLimits = { maximumEntries: 20_000, maximumBytes: 512 * 1024 * 1024 };

const maximumPathLength = 4096;
const maximumSymlinkSteps = 255;

/**
 * What an uncompressed tar holds, in archive order with hard links turned into copies. Throws a UserError that names
 * the entry when one would land outside, pass through a symlink, point outside, come twice or be no file, directory or
 * link.
 */
export function readArchiveContents(
  archive: Uint8Array,
  limits: ArchiveLimits = defaultArchiveLimits,
): ArchiveContent[] {
  const folder: Folder = { contents: new Map(), parents: new Set(), symlinks: new Map() };
  let bytes = 0;
  let entries = 0;
  for (const entry of readTar(archive)) {
    entries += 1;
    if (entries > limits.maximumEntries)
      throw refused(entry.path, `there are more than ${limits.maximumEntries} entries`);
    const content = contentOf(entry, folder);
    if (content === undefined) continue;
    bytes += content.kind === "file" ? content.content.length : 0;
    if (bytes > limits.maximumBytes) throw refused(entry.path, `there are more than ${limits.maximumBytes} bytes`);
    add(content, folder);
  }
  for (const link of folder.symlinks.values()) refuseEscape(link, folder);
  return [...folder.contents.values()];
}

type Symlink = Extract<ArchiveContent, { kind: "symlink" }>;

/** What earlier entries made: by path, the paths that something lies inside of, and the symlinks by folded path. */
type Folder = {
  readonly contents: Map<string, ArchiveContent>;
  readonly parents: Set<string>;
  readonly symlinks: Map<string, Symlink>;
};

/** Paths that some file systems take for the same: a symlink counts under every spelling. */
function fold(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function add(content: ArchiveContent, folder: Folder): void {
  folder.contents.set(content.path, content);
  for (const parent of parentsOf(content.path)) folder.parents.add(parent);
  if (content.kind === "symlink") folder.symlinks.set(fold(content.path), content);
}

function* parentsOf(path: string): Generator<string> {
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) yield path.slice(0, slash);
}

function contentOf(entry: TarEntry, earlier: Folder): ArchiveContent | undefined {
  const path = normalizePath(entry.path, entry.path);
  if (path === "") {
    if (entry.kind === "directory") return undefined;
    throw refused(entry.path, "it has no name");
  }
  refuseTakenPath(entry, { path, earlier });
  switch (entry.kind) {
    case "file":
      return { kind: "file", path, mode: entry.mode & 0o777, content: entry.content };
    case "directory":
      return { kind: "directory", path, mode: entry.mode & 0o777 };
    case "symlink":
      return { kind: "symlink", path, target: entry.target };
    case "hardlink": {
      const linked = earlier.contents.get(normalizePath(entry.target, entry.path));
      if (linked?.kind !== "file") throw refused(entry.path, "it is a hard link to something that is no earlier file");
      return { ...linked, path };
    }
    case "device":
    case "fifo":
      throw refused(entry.path, `it is a ${entry.kind}`);
  }
}

function refuseTakenPath(entry: TarEntry, { path, earlier }: { path: string; earlier: Folder }): void {
  const existing = earlier.contents.get(path);
  const bothDirectories = entry.kind === "directory" && (existing === undefined || existing.kind === "directory");
  if (existing !== undefined && !bothDirectories) throw refused(entry.path, "it comes twice");
  if (earlier.parents.has(path) && !bothDirectories) throw refused(entry.path, "it takes the place of a directory");
  for (const parent of parentsOf(path)) {
    const found = earlier.symlinks.get(fold(parent)) ?? earlier.contents.get(parent);
    if (found === undefined || found.kind === "directory") continue;
    throw refused(entry.path, `it lies inside ${JSON.stringify(found.path)}, which is a ${found.kind}`);
  }
}

function normalizePath(written: string, entryPath: string): string {
  if (written.length > maximumPathLength) throw refused(entryPath.slice(0, 100), "its name is too long");
  if (/[\0\\]/.test(written)) throw refused(entryPath, "its name holds a NUL or a backslash");
  if (written.startsWith("/")) throw refused(entryPath, "its name is absolute");
  const parts = written.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused(entryPath, 'its name holds ".."');
  return parts.join("/");
}

/**
 * Follows a symlink the way a file system would, through the archive's other symlinks, and refuses one that leaves the
 * folder.
 */
function refuseEscape(link: Symlink, { symlinks }: Folder): void {
  if (!/^[^\0\\/][^\0\\]*$/.test(link.target) || link.target.length > maximumPathLength) {
    throw refused(link.path, "it is a symlink whose target is absolute or not a path");
  }
  const reached = link.path.split("/").slice(0, -1);
  const pending = link.target.split("/").reverse();
  let steps = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    steps += 1;
    if (steps > maximumSymlinkSteps) throw refused(link.path, "it is a symlink that leads too far or in a circle");
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (reached.pop() === undefined) throw refused(link.path, "it is a symlink that points outside the archive");
      continue;
    }
    const next = symlinks.get(fold([...reached, part].join("/")));
    if (next === undefined) reached.push(part);
    else pending.push(...next.target.split("/").reverse());
  }
}

function refused(path: string, reason: string): UserError {
  return new UserError(`The archive is refused because of its entry ${JSON.stringify(path)}: ${reason}.`, {
    hint: "Nothing was unpacked. Tell whoever publishes it, or use another version.",
  });
}
