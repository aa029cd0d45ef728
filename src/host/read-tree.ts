import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import type { TreeEntry } from "../assembly/layer-member.ts";
import { UserError } from "../errors.ts";
import { opaqueMarker } from "../oci/layer-place.ts";
import type { ReadCapability } from "./capability.ts";
import { hiddenName, isOpaque, isWhiteout, mayBeWhiteout } from "./overlay-marks.ts";

/** An entry of a folder; a regular file is open for reading until the next entry is asked for. */
export type ReadEntry = {
  readonly entry: TreeEntry;
  readonly stats: Stats;
  /** Undefined for what has no content of its own to be read. */
  readonly file: number | undefined;
};

/** What is left out of a walk: paths relative to the folder. */
export interface TreeFilter {
  readonly isIgnored: (path: string) => boolean;
  /** Whether an ignored folder must be looked into. */
  readonly mayContainReincluded: (directory: string) => boolean;
}

/** How an overlay's upper directory is read: with the overlay's marks as entries, and without sockets. */
export interface UpperReading {
  /** Whether a directory is left out when all in it is. */
  readonly isLeftOutEmpty: (path: string) => boolean;
  /** Whether there is anything below that a directory's mark hides. */
  readonly hidesSomething: (directory: string) => boolean;
  readonly leaveOutSocket: (path: string) => void;
}

interface Walk {
  readonly folder: string;
  readonly upper?: UpperReading;
  readonly filter: TreeFilter | undefined;
  readonly readCapability: ReadCapability;
  /** The first path of every file that has several, by device and inode. */
  readonly linked: Map<string, string>;
}

const executableBits = 0o111;
const kindBits = 0o170000;
const kinds = { file: 0o100000, directory: 0o040000, symlink: 0o120000, fifo: 0o010000 } as const;

/**
 * All that is in a folder, each directory before its content, names in the order of their bytes. Throws a UserError that
 * names what cannot be read, or is neither file, directory nor symlink, or has a name that is not UTF-8.
 */
export function readTree(
  folder: string,
  options: { filter: TreeFilter | undefined; readCapability: ReadCapability; upper?: UpperReading },
): Generator<ReadEntry> {
  return walk("", { folder, ...options, linked: new Map() });
}

function* walk(directory: string, context: Walk): Generator<ReadEntry> {
  const { folder, filter, upper } = context;
  for (const child of listChildren(join(folder, directory), upper)) {
    const { name } = child;
    const path = directory === "" ? name : `${directory}/${name}`;
    const ignored = filter?.isIgnored(path) === true;
    if (ignored && filter?.mayContainReincluded(path) !== true) continue;
    const absolute = `${folder}/${path}`;
    if (upper !== undefined && mayBeWhiteout(child)) {
      // The directory's own mark came with it.
      if (name === opaqueMarker) continue;
      const stats = statsOf(absolute);
      if (isWhiteout(stats, name)) {
        yield markEntry(directory === "" ? hiddenName(name) : `${directory}/${hiddenName(name)}`, {
          kind: "whiteout",
          stats,
        });
        continue;
      }
    }
    if (child.isFile()) {
      if (!ignored) yield* readFile(path, { absolute, context });
      continue;
    }
    const stats = statsOf(absolute);
    if (upper !== undefined && stats.isSocket()) {
      upper.leaveOutSocket(path);
      continue;
    }
    const isDirectory = (stats.mode & kindBits) === kinds.directory;
    if (isDirectory && upper !== undefined) {
      yield* walkUpperDirectory(path, { absolute, stats, context, upper });
      continue;
    }
    if (!ignored) yield { entry: otherEntry(path, { absolute, stats, upper }), stats, file: undefined };
    if (isDirectory) yield* walk(path, context);
  }
}

function* walkUpperDirectory(
  path: string,
  { absolute, stats, context, upper }: { absolute: string; stats: Stats; context: Walk; upper: UpperReading },
): Generator<ReadEntry> {
  const hides = isOpaque(absolute) && upper.hidesSomething(path);
  const content = walk(path, context);
  const first = content.next();
  if (first.done === true && !hides && upper.isLeftOutEmpty(path)) return;
  yield { entry: otherEntry(path, { absolute, stats, upper }), stats, file: undefined };
  if (hides) yield markEntry(path, { kind: "opaque", stats });
  if (first.done === true) return;
  yield first.value;
  yield* content;
}

function markEntry(path: string, { kind, stats }: { kind: "whiteout" | "opaque"; stats: Stats }): ReadEntry {
  const modified = Math.floor(stats.mtimeMs / 1000);
  return { entry: { kind, path, mode: 0, uid: 0, gid: 0, modified }, stats, file: undefined };
}

/** Opening a file and asking what it is then takes a third of the time of asking by name first. */
function* readFile(path: string, { absolute, context }: { absolute: string; context: Walk }): Generator<ReadEntry> {
  const file = openForReading(absolute);
  try {
    const stats = fstatSync(file);
    const { mode, uid, gid, size } = stats;
    if ((mode & kindBits) !== kinds.file) throw changedMeanwhile(absolute);
    const common = { path, mode: mode & 0o7777, uid, gid, modified: Math.floor(stats.mtimeMs / 1000) };
    const target = stats.nlink > 1 ? firstName(path, { stats, linked: context.linked }) : undefined;
    if (target !== undefined) {
      yield { entry: { ...common, kind: "hardlink", target }, stats, file: undefined };
      return;
    }
    const capability = (mode & executableBits) === 0 ? undefined : context.readCapability(absolute);
    yield { entry: { ...common, kind: "file", size, capability }, stats, file };
  } finally {
    closeSync(file);
  }
}

function openForReading(absolute: string): number {
  try {
    // A symlink that took the file's place since is not followed, a pipe not waited for.
    return openSync(absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ELOOP") throw changedMeanwhile(absolute);
    throw unreadable(absolute, cause);
  }
}

function otherEntry(
  path: string,
  { absolute, stats, upper }: { absolute: string; stats: Stats; upper: UpperReading | undefined },
): TreeEntry {
  const { mode, uid, gid } = stats;
  const common = { path, mode: mode & 0o7777, uid, gid, modified: Math.floor(stats.mtimeMs / 1000) };
  switch (mode & kindBits) {
    case kinds.directory:
      return { ...common, kind: "directory" };
    case kinds.symlink:
      return { ...common, mode: 0o777, kind: "symlink", target: targetOf(absolute) };
    case kinds.file:
      throw changedMeanwhile(absolute);
    case kinds.fifo:
      if (upper !== undefined) return { ...common, kind: "fifo" };
      throw special(absolute, stats);
    default:
      throw special(absolute, stats);
  }
}

function special(absolute: string, stats: Stats): UserError {
  return new UserError(`${absolute} cannot be in an image: it is a ${specialKind(stats)}.`, {
    hint: "Remove it, or leave it out with --exclude or .dockerignore.",
  });
}

/** The UserError for something that is not what it was a moment ago, by name. */
export function changedMeanwhile(absolute: string): UserError {
  return new UserError(`${absolute} changed while it was read.`, {
    hint: "Nothing was written. Stop what writes there and repeat, or leave it out with --exclude or .dockerignore.",
  });
}

function firstName(path: string, { stats, linked }: { stats: Stats; linked: Map<string, string> }): string | undefined {
  const key = `${stats.dev}:${stats.ino}`;
  const first = linked.get(key);
  if (first === undefined) linked.set(key, path);
  return first;
}

/** What a directory has, in the order of the names' bytes; of an upper directory, what is deleted comes first. */
function listChildren(directory: string, upper: UpperReading | undefined): Dirent[] {
  let children: Dirent[];
  try {
    children = readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    throw unreadable(directory, cause);
  }
  // UTF-16 order is the order of UTF-8 bytes but for surrogates.
  const plain = !children.some(({ name }) => /[\ud800-\udfff]/.test(name));
  const compare = (left: string, right: string) => {
    if (!plain) return Buffer.compare(Buffer.from(left), Buffer.from(right));
    return left < right ? -1 : left > right ? 1 : 0;
  };
  if (upper === undefined) return children.sort((left, right) => compare(left.name, right.name));
  // So that the order is the same however a deletion is marked.
  const marks = children.filter(mayBeWhiteout).sort((a, b) => compare(hiddenName(a.name), hiddenName(b.name)));
  const others = children.filter((child) => !mayBeWhiteout(child)).sort((a, b) => compare(a.name, b.name));
  return [...marks, ...others];
}

function statsOf(absolute: string): Stats {
  try {
    return lstatSync(absolute);
  } catch (cause) {
    throw unreadable(absolute, cause);
  }
}

function targetOf(absolute: string): string {
  try {
    return readlinkSync(absolute);
  } catch (cause) {
    throw unreadable(absolute, cause);
  }
}

function specialKind(stats: Stats): string {
  if (stats.isSocket()) return "socket";
  return stats.isFIFO() ? "named pipe" : "device";
}

/** The UserError for something that cannot be read, by name. */
export function unreadable(path: string, cause: unknown): UserError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  // What is no UTF-8 was replaced, and then there is nothing of that name.
  if (code === "ENOENT" && path.includes("\ufffd")) {
    return new UserError(`${path} cannot be in an image: its name is not UTF-8.`, {
      hint: "Rename it, or leave it out with --exclude or .dockerignore.",
      cause,
    });
  }
  const found =
    code === "EACCES" || code === "EPERM"
      ? "permission denied"
      : code === "ENOENT"
        ? "it is gone"
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new UserError(`Could not read ${path}: ${found}.`, {
    hint: "Nothing was written. Make it readable, or leave it out with --exclude or .dockerignore.",
    cause,
  });
}
