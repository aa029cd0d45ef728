import { type PaxRecords, readPaxRecords } from "./pax-records.ts";
import { decodeTarText, malformed, readTarHeader, type TarHeader, tarBlockSize } from "./tar-header.ts";
import { tarMemberKind } from "./tar-member-kind.ts";

/** One member of a tar archive; `path` and `target` are as written there, unchecked. */
export type TarEntry =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "symlink" | "hardlink"; readonly path: string; readonly target: string }
  | { readonly kind: "device" | "fifo"; readonly path: string };

/** Where reading is, and what earlier headers said about the next entry or all later ones. */
type Cursor = {
  offset: number;
  global: PaxRecords;
  next: PaxRecords;
  longName: string | undefined;
  longLink: string | undefined;
};

/**
 * The entries of an uncompressed tar (v7, ustar, pax, GNU long names) in archive order; contents are views into
 * `archive`. Throws a UserError for anything truncated, sparse or of unknown type, and for links and directories that
 * bring content.
 */
export function* readTar(archive: Uint8Array): Generator<TarEntry> {
  const cursor: Cursor = { offset: 0, global: new Map(), next: new Map(), longName: undefined, longLink: undefined };
  for (;;) {
    const header = nextHeader(archive, cursor);
    if (header === undefined) return;
    if (readExtension(archive, { cursor, header })) continue;
    const entry = entryOf(archive, { cursor, header });
    cursor.next = new Map();
    cursor.longName = undefined;
    cursor.longLink = undefined;
    yield entry;
  }
}

function nextHeader(archive: Uint8Array, cursor: Cursor): TarHeader | undefined {
  if (cursor.offset >= archive.length) {
    if (archive.length === 0) throw malformed("it is empty");
    return undefined;
  }
  const block = archive.subarray(cursor.offset, cursor.offset + tarBlockSize);
  if (block.length < tarBlockSize) throw malformed("it ends inside a header");
  cursor.offset += tarBlockSize;
  return readTarHeader(block);
}

/** Takes a header that describes the entries after it into the cursor; false when `header` is an entry itself. */
function readExtension(archive: Uint8Array, { cursor, header }: { cursor: Cursor; header: TarHeader }): boolean {
  switch (header.typeFlag) {
    case "x":
      cursor.next = readPaxRecords(takeContent(archive, { cursor, size: header.size }));
      return true;
    case "g":
      for (const [keyword, value] of readPaxRecords(takeContent(archive, { cursor, size: header.size }))) {
        cursor.global.set(keyword, value);
      }
      return true;
    case "L":
      cursor.longName = decodeTarText(takeContent(archive, { cursor, size: header.size }));
      return true;
    case "K":
      cursor.longLink = decodeTarText(takeContent(archive, { cursor, size: header.size }));
      return true;
    default:
      return false;
  }
}

function entryOf(archive: Uint8Array, { cursor, header }: { cursor: Cursor; header: TarHeader }): TarEntry {
  const record = (keyword: string) => (cursor.next.get(keyword) ?? cursor.global.get(keyword)) || undefined;
  const path = record("path") ?? cursor.longName ?? header.name;
  const target = record("linkpath") ?? cursor.longLink ?? header.linkName;
  const size = sizeOf(header, record("size"));
  const content = takeContent(archive, { cursor, size });
  const kind = kindOf(header.typeFlag, path);
  if (kind !== "file" && size > 0) throw malformed(`${JSON.stringify(path)} is a ${kind} and yet has content`);
  switch (kind) {
    case "file":
      return { kind, path, mode: header.mode, content };
    case "directory":
      return { kind, path, mode: header.mode };
    case "symlink":
    case "hardlink":
      return { kind, path, target };
    case "device":
    case "fifo":
      return { kind, path };
  }
}

function sizeOf(header: TarHeader, record: string | undefined): number {
  if (record === undefined) return header.size;
  if (!/^\d{1,15}$/.test(record)) throw malformed("a pax size is not a number");
  return Number(record);
}

function kindOf(typeFlag: string, path: string): TarEntry["kind"] {
  const kind = tarMemberKind(typeFlag, path);
  if (kind === undefined) throw malformed(`${JSON.stringify(path)} has the unknown type ${JSON.stringify(typeFlag)}`);
  return kind === "character-device" || kind === "block-device" ? "device" : kind;
}

function takeContent(archive: Uint8Array, { cursor, size }: { cursor: Cursor; size: number }): Uint8Array {
  const end = cursor.offset + size;
  if (end > archive.length) throw malformed("it ends inside an entry");
  const content = archive.subarray(cursor.offset, end);
  cursor.offset += Math.ceil(size / tarBlockSize) * tarBlockSize;
  return content;
}
