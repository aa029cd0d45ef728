import { tarBlockSize } from "./tar-header.ts";

/** One member of an archive to be written; `path` is relative, without a trailing slash. Times are whole seconds. */
export type TarMember = {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: number;
} & (
  | { readonly kind: "file"; readonly size: number; readonly capability: Uint8Array | undefined }
  | { readonly kind: "directory" | "fifo" }
  | { readonly kind: "symlink" | "hardlink"; readonly target: string }
);

const typeFlags = { file: 0x30, hardlink: 0x31, symlink: 0x32, directory: 0x35, fifo: 0x36 } as const;
const magic = "ustar\0" + "00";
const encoder = new TextEncoder();
const maximumSmallNumber = 0o7777777;
const maximumLargeNumber = 0o77777777777;

/** What ends an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * tarBlockSize);

/** How many zero bytes follow a member's content. */
export function tarPadding(size: number): number {
  return (tarBlockSize - (size % tarBlockSize)) % tarBlockSize;
}

/**
 * The blocks before a member's content: a ustar header and, only when it cannot say everything, pax records before it
 * (long or non-ASCII names, sizes from 8 GiB, large ids, the security.capability attribute).
 */
export function encodeTarHeader(member: TarMember): Uint8Array {
  const path = member.kind === "directory" ? `${member.path}/` : member.path;
  const target = member.kind === "symlink" || member.kind === "hardlink" ? member.target : "";
  const size = member.kind === "file" ? member.size : 0;
  const name = splitName(path);
  const records: Uint8Array[] = [];
  if (name === undefined) records.push(paxRecord("path", path));
  if (!isShortAscii(target)) records.push(paxRecord("linkpath", target));
  if (size > maximumLargeNumber) records.push(paxRecord("size", String(size)));
  if (member.uid > maximumSmallNumber) records.push(paxRecord("uid", String(member.uid)));
  if (member.gid > maximumSmallNumber) records.push(paxRecord("gid", String(member.gid)));
  if (member.modified > maximumLargeNumber) records.push(paxRecord("mtime", String(member.modified)));
  if (member.kind === "file" && member.capability !== undefined) {
    records.push(paxRecord("SCHILY.xattr.security.capability", member.capability));
  }
  const header = {
    name: name ?? { prefix: "", name: asciiPart(path) },
    target: isShortAscii(target) ? target : asciiPart(target),
    mode: member.mode & 0o7777,
    uid: member.uid > maximumSmallNumber ? 0 : member.uid,
    gid: member.gid > maximumSmallNumber ? 0 : member.gid,
    size: size > maximumLargeNumber ? 0 : size,
    modified: member.modified > maximumLargeNumber ? 0 : member.modified,
    typeFlag: typeFlags[member.kind],
  };
  if (records.length === 0) return writeHeader(new Uint8Array(tarBlockSize), header);
  return withRecords(records, header);
}

/**
 * Writes what `encodeTarHeader` gives into `bytes` from `offset` on, when that is one block; else nothing, and gives
 * false.
 */
export function writeTarHeader(member: TarMember, bytes: Uint8Array, offset: number): boolean {
  const path = member.kind === "directory" ? `${member.path}/` : member.path;
  const target = member.kind === "symlink" || member.kind === "hardlink" ? member.target : "";
  const size = member.kind === "file" ? member.size : 0;
  const { mode, uid, gid, modified } = member;
  const isLarge = size > maximumLargeNumber || modified > maximumLargeNumber;
  if (isLarge || uid > maximumSmallNumber || gid > maximumSmallNumber) return false;
  if (!isShortAscii(target) || (member.kind === "file" && member.capability !== undefined)) return false;
  const name = splitName(path);
  if (name === undefined) return false;
  bytes.fill(0, offset, offset + tarBlockSize);
  const typeFlag = typeFlags[member.kind];
  writeHeader(bytes, { name, target, mode: mode & 0o7777, uid, gid, size, modified, typeFlag }, offset);
  return true;
}

type Header = {
  readonly name: { readonly prefix: string; readonly name: string };
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly modified: number;
  readonly typeFlag: number;
};

function withRecords(records: readonly Uint8Array[], header: Header): Uint8Array {
  const size = records.reduce((sum, record) => sum + record.length, 0);
  const whole = new Uint8Array(2 * tarBlockSize + size + tarPadding(size));
  const name = { prefix: "", name: "PaxHeaders.0" };
  writeHeader(whole, { ...header, name, target: "", mode: 0o644, uid: 0, gid: 0, size, modified: 0, typeFlag: 0x78 });
  let offset = tarBlockSize;
  for (const record of records) {
    whole.set(record, offset);
    offset += record.length;
  }
  writeHeader(whole.subarray(whole.length - tarBlockSize), header);
  return whole;
}

/** Fills a zeroed block. */
function writeHeader(bytes: Uint8Array, header: Header, start = 0): Uint8Array {
  // The checksum counts its own field as spaces.
  const sum =
    8 * 0x20 +
    header.typeFlag +
    writeAscii(bytes, start, header.name.name) +
    writeOctal(bytes, start + 100, { digits: 7, value: header.mode }) +
    writeOctal(bytes, start + 108, { digits: 7, value: header.uid }) +
    writeOctal(bytes, start + 116, { digits: 7, value: header.gid }) +
    writeOctal(bytes, start + 124, { digits: 11, value: header.size }) +
    writeOctal(bytes, start + 136, { digits: 11, value: header.modified }) +
    writeAscii(bytes, start + 157, header.target) +
    writeAscii(bytes, start + 257, magic) +
    writeAscii(bytes, start + 345, header.name.prefix);
  bytes[start + 156] = header.typeFlag;
  writeOctal(bytes, start + 148, { digits: 6, value: sum });
  bytes[start + 155] = 0x20;
  return bytes;
}

/** Gives the sum of what it wrote, as does `writeOctal`. */
function writeAscii(block: Uint8Array, offset: number, text: string): number {
  let sum = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    block[offset + index] = code;
    sum += code;
  }
  return sum;
}

function writeOctal(block: Uint8Array, offset: number, number: { digits: number; value: number }): number {
  let rest = number.value;
  let sum = 0;
  for (let index = offset + number.digits - 1; index >= offset; index--) {
    const digit = 0x30 + (rest % 8);
    block[index] = digit;
    sum += digit;
    rest = Math.floor(rest / 8);
  }
  return sum;
}

/** A path in ustar's two fields; undefined when it does not fit or is not ASCII. */
function splitName(path: string): { prefix: string; name: string } | undefined {
  if (isShortAscii(path)) return { prefix: "", name: path };
  if (path.length > 256 || !isAscii(path)) return undefined;
  const slash = path.indexOf("/", path.length - 101);
  if (slash < 1 || slash > 155 || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

function isShortAscii(text: string): boolean {
  return text.length <= 100 && isAscii(text);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7e) return false;
  return true;
}

/** What readers without pax show. */
function asciiPart(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "_").slice(0, 100);
}

/** `<length> <keyword>=<value>\n`, where the length counts its own digits. */
function paxRecord(keyword: string, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  const rest = keyword.length + bytes.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length = rest + String(length).length;
  const head = `${length} ${keyword}=`;
  const record = new Uint8Array(length);
  writeAscii(record, 0, head);
  record.set(bytes, head.length);
  record[length - 1] = 0x0a;
  return record;
}
