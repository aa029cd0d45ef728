import { closeSync, writeSync } from "node:fs";
import { messageOf, UserError } from "../errors.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { linkedPlace, placeInLayer, refusedEntry } from "../oci/layer-place.ts";
import { readTarAttributes } from "../oci/tar-attributes.ts";
import { type TarMemberKind, tarMemberKind } from "../oci/tar-member-kind.ts";
import { createTarStream, type TarReceiver, type TarStreamEntry } from "../oci/tar-stream.ts";
import { decompressChunks } from "./decompress-chunks.ts";
import { type EntryAttributes, type LayerFolder, openLayerFolder } from "./layer-folder.ts";

export type UnpackLayerOptions = {
  /** Exists and is empty; nobody else writes to it or its parents meanwhile. */
  readonly folder: string;
  /** How messages call the layer. */
  readonly what: string;
  readonly signal: AbortSignal;
};

/** What a layer's blob held: the digest of its tar, to be compared before the folder is used, and that one's size. */
export type UnpackedLayer = { readonly diffId: Digest; readonly size: number };

/**
 * Unpacks a layer's blob as it is stored, plain, gzip or zstd, into a folder as overlayfs wants it: a deletion is a
 * character device 0/0, a directory that hides what is below has the attribute `user.overlay.opaque`; that of the root
 * is set too, and means nothing to the kernel. Of other attributes only security.capability is taken, as engines do. Directories that are not listed are root's, 0755, of 1970. Throws a
 * UserError that names what is damaged or cannot be unpacked; the folder then holds a part of the layer.
 */
export async function unpackLayer(
  chunks: AsyncIterable<Uint8Array>,
  { folder, what, signal }: UnpackLayerOptions,
): Promise<UnpackedLayer> {
  const unpacking = openUnpacking(folder, what);
  const content = createDigester();
  let size = 0;
  let failure: { readonly thrown: unknown } | undefined;
  async function* untilFailure(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.thrown;
      yield chunk;
    }
  }
  try {
    const { problem } = await decompressChunks(untilFailure(), (bytes) => {
      if (failure !== undefined) return;
      content.update(bytes);
      size += bytes.length;
      try {
        unpacking.push(bytes);
      } catch (thrown) {
        failure = { thrown };
      }
    });
    if (failure !== undefined) throw failure.thrown;
    if (problem !== undefined) throw new UserError(`${what} cannot be unpacked: ${problem}.`);
    unpacking.end();
  } finally {
    unpacking.close();
  }
  return { diffId: content.digest(), size };
}

type Unpacking = {
  readonly push: (bytes: Uint8Array) => void;
  readonly end: () => void;
  /** Leaves no file open. */
  readonly close: () => void;
};

type OpenFile = {
  readonly file: number;
  left: number;
  readonly entry: EntryAttributes & { path: string; capability: Uint8Array | undefined };
};

function openUnpacking(root: string, what: string): Unpacking {
  const folder = openLayerFolder(root);
  let open: OpenFile | undefined;
  let current = "";
  const finishFile = ({ file, entry }: OpenFile) => {
    open = undefined;
    folder.finishFile(file, entry);
  };
  const receiver: TarReceiver = {
    entry: (entry) => {
      current = entry.path;
      open = unpackEntry(folder, entry);
      if (open?.left === 0) finishFile(open);
    },
    content: (bytes) => {
      if (open === undefined) return;
      for (let written = 0; written < bytes.length; ) written += writeSync(open.file, bytes, written);
      open.left -= bytes.length;
      if (open.left === 0) finishFile(open);
    },
  };
  const stream = createTarStream(receiver);
  const explaining = (work: () => void) => {
    try {
      work();
    } catch (thrown) {
      throw explained(thrown, { what, entry: current });
    }
  };
  return {
    push: (bytes) => explaining(() => stream.push(bytes)),
    end: () => {
      // Engines take a tar without an end, and one with something after it; its digest tells whether it is the one meant.
      const ending = stream.end();
      if (ending?.isCut === true) throw new UserError(`${what} cannot be unpacked: ${ending.problem}.`);
      explaining(folder.finish);
    },
    close: () => {
      if (open !== undefined) closeSync(open.file);
    },
  };
}

/** Makes what the entry says; a file is given back, for its content to be written. */
function unpackEntry(folder: LayerFolder, entry: TarStreamEntry): OpenFile | undefined {
  const place = placeInLayer(entry.path);
  switch (place.kind) {
    case "entry":
      return unpackMember(folder, { entry, path: place.path });
    case "whiteout":
      folder.markDeleted(place.path);
      return undefined;
    case "opaque":
      folder.markOpaque(place.path);
      return undefined;
    case "note":
      return undefined;
  }
}

function unpackMember(
  folder: LayerFolder,
  { entry, path }: { entry: TarStreamEntry; path: string },
): OpenFile | undefined {
  const kind = memberKindOf(entry);
  if (path === "" && kind !== "directory") throw refusedEntry(entry.path, "it has no name");
  if (kind !== "file" && entry.size > 0) throw refusedEntry(entry.path, `it is a ${kind} and yet has content`);
  const { capability, major, minor, ...owner } = readTarAttributes(entry);
  if (owner.uid > maximumId || owner.gid > maximumId) throw refusedEntry(entry.path, "there is no such uid or gid");
  const attributes = { ...owner, mode: entry.mode & 0o7777 };
  switch (kind) {
    case "file":
      return {
        file: folder.createFile(path),
        left: entry.size,
        entry: { ...attributes, path, capability },
      };
    case "directory":
      folder.makeDirectory(path, attributes);
      return undefined;
    case "symlink":
      if (entry.target === "") throw refusedEntry(entry.path, "it is a link to nothing");
      folder.makeSymlink(path, { ...attributes, target: entry.target });
      return undefined;
    case "hardlink":
      folder.makeHardlink(path, linkedPlace(entry.target, entry.path));
      return undefined;
    case "character-device":
      // As a deletion is marked in such a folder.
      if (major === 0 && minor === 0) folder.markDeleted(path);
      else folder.makeNode(path, { ...attributes, node: { kind, major, minor } });
      return undefined;
    case "block-device":
      folder.makeNode(path, { ...attributes, node: { kind, major, minor } });
      return undefined;
    case "fifo":
      folder.makeNode(path, { ...attributes, node: { kind } });
      return undefined;
  }
}

const maximumId = 4_294_967_294;

function memberKindOf({ typeFlag, path }: TarStreamEntry): TarMemberKind {
  if (typeFlag === "S") throw refusedEntry(path, "it is a sparse file, which is not supported");
  const kind = tarMemberKind(typeFlag, path);
  if (kind === undefined) throw refusedEntry(path, `it has the unknown type ${JSON.stringify(typeFlag)}`);
  return kind;
}

function explained(thrown: unknown, { what, entry }: { what: string; entry: string }): unknown {
  if (thrown instanceof UserError) {
    const [, reason] = /^The archive is not a valid tar: (.*)\.$/s.exec(thrown.message) ?? [];
    return reason === undefined ? thrown : new UserError(`${what} cannot be unpacked: ${reason}.`, { cause: thrown });
  }
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (typeof code !== "string" || code === "ENOSPC" || code === "EDQUOT") return thrown;
  return refusedEntry(entry, foundOf(code, thrown));
}

function foundOf(code: string, thrown: unknown): string {
  const syscall = thrown instanceof Error && "syscall" in thrown ? String(thrown.syscall) : "";
  switch (code) {
    case "ENAMETOOLONG":
      return "its name is too long for this file system";
    case "EOPNOTSUPP":
    case "ENOTSUP":
      return "this file system has no extended attributes";
    case "EINVAL":
      return syscall.includes("chown") ? "its uid or gid is none of the user namespace's" : messageOf(thrown);
    default:
      return messageOf(thrown);
  }
}
