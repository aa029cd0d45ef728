import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { UserError } from "../errors.ts";
import { readPaxRecords } from "../oci/pax-records.ts";
import { decodeTarText, readTarHeader, type TarHeader, tarBlockSize } from "../oci/tar-header.ts";

/** Where a file's content lies in an archive. */
export type TarRange = { readonly offset: number; readonly size: number };

const maximumMembers = 100_000;
const maximumExtension = 1024 * 1024;

/**
 * The files of an uncompressed tar by normalised path, links followed, contents unread. Throws a UserError that names
 * the archive when it is damaged, compressed or no tar.
 */
export async function indexTar(file: FileHandle, what: string): Promise<ReadonlyMap<string, TarRange>> {
  const { size: end } = await file.stat();
  if (end < tarBlockSize) headerOf(await startOf(file, end), what);
  const files = new Map<string, TarRange>();
  const links = new Map<string, string>();
  let next: { path?: string | undefined; target?: string | undefined; size?: number | undefined } = {};
  let offset = 0;
  let count = 0;
  while (offset + tarBlockSize <= end) {
    const header = headerOf(await readBlocks(file, { offset, size: tarBlockSize }), what);
    if (header === undefined) break;
    count += 1;
    if (count > maximumMembers)
      throw new UserError(`${what} is no image archive: it has more than ${maximumMembers} members.`);
    const size = next.size ?? header.size;
    const content = offset + tarBlockSize;
    offset = content + Math.ceil(size / tarBlockSize) * tarBlockSize;
    if (content + size > end) throw new UserError(`${what} is damaged: it ends inside ${header.name}.`);
    if ("xLKg".includes(header.typeFlag)) {
      if (size > maximumExtension) throw new UserError(`${what} is damaged: a name in it is too long.`);
      const bytes = await readBlocks(file, { offset: content, size });
      next = { ...next, ...extensionOf(header.typeFlag, bytes) };
      continue;
    }
    const path = posix.normalize(next.path ?? header.name).replace(/^\.?\//, "");
    const target = next.target ?? header.linkName;
    if (header.typeFlag === "0" || header.typeFlag === "7") files.set(path, { offset: content, size });
    if (header.typeFlag === "1") links.set(path, posix.normalize(target));
    if (header.typeFlag === "2") links.set(path, posix.join(posix.dirname(path), target));
    next = {};
  }
  for (const [path, target] of links) {
    const found = files.get(target) ?? files.get(links.get(target) ?? "");
    if (found !== undefined) files.set(path, found);
  }
  return files;
}

function headerOf(block: Uint8Array, what: string): TarHeader | undefined {
  try {
    return readTarHeader(block);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const gzip = block[0] === 0x1f && block[1] === 0x8b;
    throw new UserError(
      gzip
        ? `${what} is compressed: an image archive is a plain tar.`
        : `${what} is no image archive: ${cause.message}`,
      { ...(gzip ? { hint: `Decompress it first: gunzip ${what}` } : {}), cause },
    );
  }
}

function extensionOf(typeFlag: string, bytes: Uint8Array): { path?: string; target?: string; size?: number } {
  if (typeFlag === "L") return { path: decodeTarText(bytes) };
  if (typeFlag === "K") return { target: decodeTarText(bytes) };
  if (typeFlag === "g") return {};
  const records = readPaxRecords(bytes);
  const [path, target, size] = [records.get("path"), records.get("linkpath"), records.get("size")];
  return {
    ...(path === undefined ? {} : { path }),
    ...(target === undefined ? {} : { target }),
    ...(size === undefined ? {} : { size: Number(size) }),
  };
}

/** What there is of the first block: enough to say what the file is. */
async function startOf(file: FileHandle, size: number): Promise<Uint8Array> {
  const block = new Uint8Array(tarBlockSize);
  block.set(await readBlocks(file, { offset: 0, size }));
  return block;
}

async function readBlocks(file: FileHandle, { offset, size }: TarRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, done, size - done, offset + done);
    if (bytesRead === 0) throw new UserError("The archive ended while it was read.");
    done += bytesRead;
  }
  return bytes;
}
