import { constants } from "node:fs";
import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { indexTar } from "./tar-index.ts";

/** The files of a layout or archive by their path in it, wherever they lie. */
export interface ContentFiles {
  /** A small file whole; undefined when there is none. Throws a UserError past `maximum` bytes. */
  readonly read: (path: string, maximum: number) => Promise<Uint8Array | undefined>;
  /** A file in chunks; undefined when there is none. */
  readonly chunks: (path: string) => Promise<{ size: number; chunks: AsyncIterable<Uint8Array> } | undefined>;
  /** How messages call the whole. */
  readonly what: string;
  readonly close: () => Promise<void>;
}

const chunkSize = 1024 * 1024;

/** The files of a folder. */
export function openFolder(folder: string): ContentFiles {
  return {
    what: folder,
    read: async (path, maximum) => {
      const size = await sizeOf(join(folder, path));
      if (size === undefined) return undefined;
      if (size > maximum) throw tooLarge(join(folder, path), maximum);
      return readFile(join(folder, path));
    },
    chunks: async (path) => {
      const size = await sizeOf(join(folder, path));
      return size === undefined ? undefined : { size, chunks: readFileChunks(join(folder, path), size) };
    },
    close: async () => {},
  };
}

/** The files of a tar, read where they lie; throws a UserError when there is none or it is no tar. */
export async function openArchive(path: string): Promise<ContentFiles> {
  // A pipe would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause) => {
    throw new UserError(
      `Could not open the image archive ${path}: ${isMissing(cause) ? "there is none" : cause.message}.`,
      { hint: "Name an archive that an image was saved to, or another place: oci:DIR, docker://REFERENCE.", cause },
    );
  });
  try {
    if (!(await file.stat()).isFile()) {
      throw new UserError(`Could not open the image archive ${path}: it is no file.`, {
        hint: "It is read in several places, not from start to end. A folder that is a layout is oci:DIR.",
      });
    }
    const members = await indexTar(file, path);
    return {
      what: path,
      read: async (name, maximum) => {
        const member = members.get(name);
        if (member === undefined) return undefined;
        if (member.size > maximum) throw tooLarge(`${name} of ${path}`, maximum);
        return readExactly(file, { ...member, what: path });
      },
      chunks: async (name) => {
        const member = members.get(name);
        return member === undefined
          ? undefined
          : { size: member.size, chunks: readChunks(file, { ...member, what: path }) };
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Reads `size` bytes from `offset`; throws a UserError that starts with `what` when the file ends before. */
export async function readExactly(
  file: FileHandle,
  range: { offset: number; size: number; what: string },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.size);
  for (let done = 0; done < range.size; ) {
    const { bytesRead } = await file.read(bytes, done, range.size - done, range.offset + done);
    if (bytesRead === 0) throw new UserError(`${range.what} is damaged: it ends too early.`);
    done += bytesRead;
  }
  return bytes;
}

async function* readChunks(
  file: FileHandle,
  range: { offset: number; size: number; what: string },
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < range.size; done += chunkSize) {
    const size = Math.min(chunkSize, range.size - done);
    yield await readExactly(file, { offset: range.offset + done, size, what: range.what });
  }
}

async function* readFileChunks(path: string, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    yield* readChunks(file, { offset: 0, size, what: path });
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function tooLarge(path: string, maximum: number): UserError {
  return new UserError(`${path} is too large: more than ${maximum} bytes.`);
}
