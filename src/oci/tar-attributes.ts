import { forEachPaxRecord } from "./pax-records.ts";
import { malformed, readTarOwner } from "./tar-header.ts";
import type { TarStreamEntry } from "./tar-stream.ts";

/** A point in time, to the nanosecond; `seconds` since 1970 may be negative, `nanoseconds` are not. */
export type FileTime = { readonly seconds: number; readonly nanoseconds: number };

/** What a member's headers say of it besides name, kind and size. */
export type TarAttributes = {
  readonly uid: number;
  readonly gid: number;
  readonly modified: FileTime;
  /** The security.capability attribute. */
  readonly capability: Uint8Array | undefined;
  /** Of a device. */
  readonly major: number;
  readonly minor: number;
};

const capabilityKeyword = "SCHILY.xattr.security.capability";
const decoder = new TextDecoder();

/** The attributes of an entry, while it is the stream's current one. Throws a UserError for numbers that are none. */
export function readTarAttributes(entry: TarStreamEntry): TarAttributes {
  const { uid, gid, modified, major, minor } = readTarOwner(entry.block);
  const plain = { uid, gid, modified: { seconds: modified, nanoseconds: 0 }, capability: undefined, major, minor };
  return entry.pax === undefined ? plain : withRecords(plain, entry.pax);
}

function withRecords(plain: TarAttributes, pax: Uint8Array): TarAttributes {
  let attributes = plain;
  forEachPaxRecord(pax, (keyword, value) => {
    if (value.length === 0) return;
    switch (keyword) {
      case "uid":
        attributes = { ...attributes, uid: idOf(value) };
        break;
      case "gid":
        attributes = { ...attributes, gid: idOf(value) };
        break;
      case "mtime":
        attributes = { ...attributes, modified: timeOf(decoder.decode(value)) };
        break;
      case capabilityKeyword:
        attributes = { ...attributes, capability: value.slice() };
        break;
    }
  });
  return attributes;
}

function idOf(value: Uint8Array): number {
  const text = decoder.decode(value);
  if (!/^\d{1,10}$/.test(text)) throw malformed("a pax uid or gid is not a number");
  return Number(text);
}

function timeOf(text: string): FileTime {
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === "") throw malformed("a pax mtime is not a number");
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, "0"));
  if (sign !== "-") return { seconds: Number(whole), nanoseconds };
  if (nanoseconds === 0) return { seconds: whole === "0" ? 0 : -Number(whole), nanoseconds };
  return { seconds: -Number(whole) - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}
