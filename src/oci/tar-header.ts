import { UserError } from "../errors.ts";

/** Tar archives are made of blocks of this many bytes. */
export const tarBlockSize = 512;

/** The fields of one 512-byte header block, before long-name and pax records are applied. */
export type TarHeader = {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  /** One ASCII character: "0" file, "5" directory, "x" pax records and so on. */
  readonly typeFlag: string;
  readonly linkName: string;
};

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads one header block (v7, ustar or GNU); undefined for the zero block that ends an archive. */
export function readTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!hasValidChecksum(block)) throw malformed("a header's checksum is wrong");
  const isUstar = textField(block, 257, 6) === "ustar" && block[263] === 0x30;
  const prefix = isUstar ? textField(block, 345, 155) : "";
  const name = textField(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: numberField(block, 100, 8),
    size: numberField(block, 124, 12),
    typeFlag: String.fromCharCode(block[156] || 0x30),
    linkName: textField(block, 157, 100),
  };
}

/** The fields that say whose a member is, since when, and which device. */
export type TarOwner = {
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, before them too. */
  readonly modified: number;
  readonly major: number;
  readonly minor: number;
};

/** Reads those fields of a block that `readTarHeader` took; throws a UserError for numbers that are none. */
export function readTarOwner(block: Uint8Array): TarOwner {
  // Only these formats have device numbers.
  const isUstar = textField(block, 257, 5) === "ustar";
  return {
    uid: numberField(block, 108, 8),
    gid: numberField(block, 116, 8),
    modified: timeField(block.subarray(136, 148)),
    major: isUstar ? numberField(block, 329, 8) : 0,
    minor: isUstar ? numberField(block, 337, 8) : 0,
  };
}

/** UTF-8 text up to the first NUL; throws a UserError for bytes that are not UTF-8. */
export function decodeTarText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  try {
    return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
  } catch (cause) {
    throw malformed("a name is not UTF-8", cause);
  }
}

/** The UserError for an archive that is broken in the way said. */
export function malformed(reason: string, cause?: unknown): UserError {
  return new UserError(`The archive is not a valid tar: ${reason}.`, { cause });
}

function textField(block: Uint8Array, start: number, length: number): string {
  return decodeTarText(block.subarray(start, start + length));
}

function numberField(block: Uint8Array, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  const value = ((field[0] ?? 0) & 0x80) === 0 ? octal(field) : base256(field);
  if (!Number.isSafeInteger(value) || value < 0) throw malformed("a number in a header is out of range");
  return value;
}

/** GNU writes times before 1970 as a two's complement of all bits but the first. */
function timeField(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0xc0) !== 0xc0) return numberField(field, 0, field.length);
  const value = field.reduce((sum, byte) => sum * 256 - (byte ^ 0xff), 0) - 1;
  if (!Number.isSafeInteger(value)) throw malformed("a number in a header is out of range");
  return value;
}

function octal(field: Uint8Array): number {
  const digits = decodeTarText(field).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw malformed("a number in a header is not octal");
  return Number.parseInt(digits, 8);
}

function base256(field: Uint8Array): number {
  if (((field[0] ?? 0) & 0x40) !== 0) return -1;
  return field.reduce((value, byte, position) => value * 256 + (position === 0 ? byte & 0x3f : byte), 0);
}

// Some old writers summed signed bytes.
function hasValidChecksum(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let position = 0; position < tarBlockSize; position++) {
    const byte = position >= 148 && position < 156 ? 0x20 : (block[position] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const written = octal(block.subarray(148, 156));
  return written === unsigned || written === signed;
}
