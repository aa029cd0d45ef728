import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { TreeEntry } from "../assembly/layer-member.ts";
import type { ReadCapability } from "./capability.ts";
import { listChildren } from "./list-children.ts";
import { hiddenName, isDirectoryMark, isOpaque, isWhiteout, mayBeWhiteout } from "./overlay-marks.ts";
import { changedMeanwhile, unfit, unreadable } from "./read-failure.ts";

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
const kinds = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

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
  for (const child of listChildren(join(folder, directory), { isUpper: upper !== undefined })) {
    const { name } = child;
    const path = directory === "" ? name : `${directory}/${name}`;
    const ignored = filter?.isIgnored(path) === true;
    if (ignored && filter?.mayContainReincluded(path) !== true) continue;
    const absolute = `${folder}/${path}`;
    if (upper !== undefined && (mayBeWhiteout(child) || !child.isFile())) {
      yield* readUpper(path, { absolute, context, upper });
      continue;
    }
    if (child.isFile()) {
      if (!ignored) yield* readFile(path, { absolute, context });
      continue;
    }
    const stats = statsOf(absolute);
    if (!ignored) yield { entry: otherEntry(path, { absolute, stats }), stats, file: undefined };
    if ((stats.mode & kindBits) === kinds.directory) yield* walk(path, context);
  }
}

type UpperWalk = { readonly absolute: string; readonly context: Walk; readonly upper: UpperReading };

/** What may be one of the overlay's marks, or is no file. */
function* readUpper(path: string, { absolute, context, upper }: UpperWalk): Generator<ReadEntry> {
  const start = path.lastIndexOf("/") + 1;
  const name = path.slice(start);
  const stats = statsOf(absolute);
  // It came with the directory.
  if (isDirectoryMark({ name, stats })) return;
  if (isWhiteout(stats, name)) yield markEntry(path.slice(0, start) + hiddenName(name), { kind: "whiteout", stats });
  else if (stats.isSocket()) upper.leaveOutSocket(path);
  else if (stats.isFile()) yield* readFile(path, { absolute, context });
  else if (stats.isFIFO()) yield { entry: { ...commonOf(path, stats), kind: "fifo" }, stats, file: undefined };
  else if (stats.isDirectory()) yield* readUpperDirectory(path, { absolute, context, upper, stats });
  else yield { entry: otherEntry(path, { absolute, stats }), stats, file: undefined };
}

function* readUpperDirectory(
  path: string,
  { absolute, context, upper, stats }: UpperWalk & { stats: Stats },
): Generator<ReadEntry> {
  const hides = isOpaque(absolute) && upper.hidesSomething(path);
  const content = walk(path, context);
  const first = content.next();
  if (first.done === true && !hides && upper.isLeftOutEmpty(path)) return;
  yield { entry: otherEntry(path, { absolute, stats }), stats, file: undefined };
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
    const { mode, size } = stats;
    if ((mode & kindBits) !== kinds.file) throw changedMeanwhile(absolute);
    const common = commonOf(path, stats);
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

function otherEntry(path: string, { absolute, stats }: { absolute: string; stats: Stats }): TreeEntry {
  const common = commonOf(path, stats);
  switch (stats.mode & kindBits) {
    case kinds.directory:
      return { ...common, kind: "directory" };
    case kinds.symlink:
      return { ...common, mode: 0o777, kind: "symlink", target: targetOf(absolute) };
    case kinds.file:
      throw changedMeanwhile(absolute);
    default:
      throw unfit(absolute, stats);
  }
}

function commonOf(path: string, stats: Stats) {
  const { mode, uid, gid } = stats;
  return { path, mode: mode & 0o7777, uid, gid, modified: Math.floor(stats.mtimeMs / 1000) };
}

function firstName(path: string, { stats, linked }: { stats: Stats; linked: Map<string, string> }): string | undefined {
  const key = `${stats.dev}:${stats.ino}`;
  const first = linked.get(key);
  if (first === undefined) linked.set(key, path);
  return first;
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
