import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { setAttribute } from "../host/extended-attributes.ts";
import { makeNode, type NodeKind } from "../host/make-node.ts";
import { setModified } from "../host/set-modified.ts";
import { parentOf, refusedEntry } from "../oci/layer-place.ts";
import type { FileTime } from "../oci/tar-attributes.ts";

/** Whose something in a layer is, and since when. */
export type EntryAttributes = {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: FileTime;
};

/**
 * A folder that a layer is unpacked into, with overlayfs' own marks. All paths are relative to it and normalised. What
 * comes later at a path takes the place of what was there; nothing is ever written through a link.
 */
export type LayerFolder = {
  /** A new empty file, open for writing. */
  readonly createFile: (path: string) => number;
  /** Closes such a file; call it once its content is written. */
  readonly finishFile: (
    file: number,
    entry: EntryAttributes & { path: string; capability: Uint8Array | undefined },
  ) => void;
  /** Its attributes are set by `finish`. */
  readonly makeDirectory: (path: string, attributes: EntryAttributes) => void;
  readonly makeSymlink: (path: string, entry: EntryAttributes & { target: string }) => void;
  readonly makeHardlink: (path: string, target: string) => void;
  readonly makeNode: (path: string, entry: EntryAttributes & { node: NodeKind }) => void;
  readonly markDeleted: (path: string) => void;
  readonly markOpaque: (path: string) => void;
  readonly finish: () => void;
};

type Folder = {
  readonly root: string;
  /** All that are there, parents before their children: the only places where something is made. */
  readonly directories: Map<string, EntryAttributes>;
  readonly deleted: Set<string>;
  /** Devices that could not be made. */
  readonly missing: Set<string>;
};

/** What a directory has that the layer does not list, only something in it. */
const implied: EntryAttributes = { mode: 0o755, uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 } };
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/**
 * fuse-overlayfs heeds the kernel's mark as well. Its own would be copied into the upper directory by the kernel, and
 * would hide there what the layer has.
 */
const opaqueAttribute = "user.overlay.opaque";
const yes = new TextEncoder().encode("y");

/** Opens a folder that must be empty, and that nobody else writes to meanwhile. */
export function openLayerFolder(root: string): LayerFolder {
  const folder: Folder = { root, directories: new Map([["", implied]]), deleted: new Set(), missing: new Set() };
  chmodSync(root, 0o700);
  return {
    createFile: (path) => placed(folder, { path, make: (place) => openSync(place, newFile, 0o600) }),
    finishFile: (file, entry) => finishFile(folder, { file, entry }),
    makeDirectory: (path, attributes) => makeDirectory(folder, { path, attributes }),
    makeSymlink: (path, entry) => {
      placed(folder, { path, make: (place) => symlinkSync(entry.target, place) });
      lchownSync(`${root}/${path}`, entry.uid, entry.gid);
      setModified(`${root}/${path}`, entry.modified);
    },
    makeHardlink: (path, target) => makeHardlink(folder, { path, target }),
    makeNode: (path, entry) => makeSpecial(folder, { path, entry }),
    markDeleted: (path) => markDeleted(folder, path),
    markOpaque: (path) => {
      if (!folder.directories.has(path)) makeDirectory(folder, { path, attributes: implied });
      setOpaque(folder, path);
    },
    finish: () => {
      // The innermost first: its parents may be closed afterwards.
      for (const [path, { mode, uid, gid, modified }] of [...folder.directories].reverse()) {
        const place = `${root}/${path}`;
        lchownSync(place, uid, gid);
        chmodSync(place, mode);
        setModified(place, modified);
      }
    },
  };
}

function finishFile(
  { root }: Folder,
  { file, entry }: { file: number; entry: EntryAttributes & { path: string; capability: Uint8Array | undefined } },
): void {
  const place = `${root}/${entry.path}`;
  try {
    // In this order: a new owner takes setuid and capabilities away.
    fchownSync(file, entry.uid, entry.gid);
    fchmodSync(file, entry.mode);
    if (entry.capability !== undefined) {
      setAttribute(place, { name: "security.capability", value: entry.capability });
    }
    setModified(place, entry.modified);
  } finally {
    closeSync(file);
  }
}

/** Makes something other than a directory, in place of what is there. */
function placed<T>(folder: Folder, { path, make }: { path: string; make: (place: string) => T }): T {
  requireParent(folder, path);
  folder.missing.delete(path);
  const place = `${folder.root}/${path}`;
  try {
    return make(place);
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause;
    clear(folder, path);
    return make(place);
  }
}

function requireParent(folder: Folder, path: string): void {
  const parent = parentOf(path);
  if (folder.directories.has(parent)) return;
  requireParent(folder, parent);
  const place = `${folder.root}/${parent}`;
  const wasDeleted = undelete(folder, parent);
  try {
    mkdirSync(place, 0o700);
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause;
    const kind = lstatSync(place).isSymbolicLink() ? "a symlink" : "no directory";
    throw refusedEntry(path, `it lies behind ${JSON.stringify(parent)}, which is ${kind} in the same layer`);
  }
  folder.directories.set(parent, implied);
  if (wasDeleted) setOpaque(folder, parent);
}

function makeDirectory(folder: Folder, { path, attributes }: { path: string; attributes: EntryAttributes }): void {
  if (!folder.directories.has(path)) {
    const wasDeleted = undelete(folder, path);
    placed(folder, { path, make: (place) => mkdirSync(place, 0o700) });
    // A directory in place of one that was deleted shows nothing of that.
    if (wasDeleted) setOpaque(folder, path);
  }
  folder.directories.set(path, attributes);
}

function undelete(folder: Folder, path: string): boolean {
  if (!folder.deleted.delete(path)) return false;
  unlinkSync(`${folder.root}/${path}`);
  return true;
}

function clear(folder: Folder, path: string): void {
  const { root, directories, deleted } = folder;
  const place = `${root}/${path}`;
  deleted.delete(path);
  if (!directories.has(path)) {
    unlinkSync(place);
    return;
  }
  try {
    rmdirSync(place);
  } catch (cause) {
    if (codeOf(cause) !== "ENOTEMPTY") throw cause;
    forgetContent(folder, path);
    rmSync(place, { recursive: true });
  }
  directories.delete(path);
}

/** Takes as long as it took to make what is there, however much there is elsewhere. */
function forgetContent(folder: Folder, path: string): void {
  for (const child of readdirSync(`${folder.root}/${path}`, { withFileTypes: true })) {
    const within = `${path}/${child.name}`;
    if (folder.directories.delete(within)) forgetContent(folder, within);
    else folder.deleted.delete(within);
  }
}

function makeHardlink(folder: Folder, { path, target }: { path: string; target: string }): void {
  const { root, directories, deleted, missing } = folder;
  if (missing.has(target)) {
    missing.add(path);
    return;
  }
  const isFile = !directories.has(target) && !deleted.has(target) && directories.has(parentOf(target));
  if (!isFile || lstatSync(`${root}/${target}`, { throwIfNoEntry: false }) === undefined) {
    throw refusedEntry(path, `it is a hard link to ${JSON.stringify(target)}, which is no earlier file of the layer`);
  }
  // What is there already would be removed to be linked to.
  if (path === target) return;
  placed(folder, { path, make: (place) => linkSync(`${root}/${target}`, place) });
}

function makeSpecial(
  folder: Folder,
  { path, entry }: { path: string; entry: EntryAttributes & { node: NodeKind } },
): void {
  const place = `${folder.root}/${path}`;
  try {
    placed(folder, { path, make: () => makeNode(place, entry.node) });
  } catch (cause) {
    if (codeOf(cause) !== "EPERM") throw cause;
    if (!path.startsWith("dev/")) throw refusedEntry(path, "it is a device, which only root can make");
    // A container gets devices of its own there.
    folder.missing.add(path);
    return;
  }
  lchownSync(place, entry.uid, entry.gid);
  chmodSync(place, entry.mode);
  setModified(place, entry.modified);
}

/** What the layer itself has at the path stays: only what is below is hidden. */
function markDeleted(folder: Folder, path: string): void {
  if (folder.directories.has(path)) {
    setOpaque(folder, path);
    return;
  }
  requireParent(folder, path);
  try {
    makeNode(`${folder.root}/${path}`, { kind: "character-device", major: 0, minor: 0 });
    folder.deleted.add(path);
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause;
  }
}

function setOpaque({ root }: Folder, path: string): void {
  setAttribute(`${root}/${path}`, { name: opaqueAttribute, value: yes });
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
