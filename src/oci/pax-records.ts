import { malformed } from "./tar-header.ts";

/** The records of a pax header that name or size an entry; an empty value takes back what a global header said. */
export type PaxRecords = Map<string, string>;

const readKeywords: ReadonlySet<string> = new Set(["path", "linkpath", "size"]);
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads `<length> <keyword>=<value>\n` records (POSIX pax). Throws a UserError when they do not add up, when a name
 * holds a NUL, and for sparse files, whose content is not what it seems.
 */
export function readPaxRecords(bytes: Uint8Array): PaxRecords {
  const records: PaxRecords = new Map();
  forEachPaxRecord(bytes, (keyword, value) => {
    if (keyword.startsWith("GNU.sparse.")) throw malformed("it holds a sparse file, which is not supported");
    if (!readKeywords.has(keyword)) return;
    if (value.includes(0)) throw malformed("a pax record holds a NUL");
    try {
      records.set(keyword, decoder.decode(value));
    } catch (cause) {
      throw malformed("a pax record is not UTF-8", cause);
    }
  });
  return records;
}

/** Calls `take` for each record, in order; keywords are cut after 64 characters. Throws a UserError as above. */
export function forEachPaxRecord(bytes: Uint8Array, take: (keyword: string, value: Uint8Array) => void): void {
  let offset = 0;
  while (offset < bytes.length) {
    const space = bytes.indexOf(0x20, offset);
    const digits = space === -1 ? "" : String.fromCharCode(...bytes.subarray(offset, Math.min(space, offset + 12)));
    const end = offset + Number(digits);
    if (!/^[1-9]\d*$/.test(digits) || end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) {
      throw malformed("a pax record has a wrong length");
    }
    const record = bytes.subarray(space + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (equals < 1) throw malformed("a pax record has no keyword");
    take(String.fromCharCode(...record.subarray(0, Math.min(equals, 64))), record.subarray(equals + 1));
    offset = end;
  }
}
