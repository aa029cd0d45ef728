/** One member of a tar to be made; anything goes, so that hostile archives can be written too. */
export type TarMember = {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  /** The header's type flag: "0" file (the default), "1" hard link, "2" symlink, "5" directory and so on. */
  readonly type?: string;
  readonly target?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970. */
  readonly modified?: number;
  /** A device's major and minor number. */
  readonly device?: readonly [number, number];
  /** A size to claim instead of the content's. */
  readonly claimedSize?: number;
  /**
   * `ustar` splits long names into prefix and name; `pax` writes them as records before the member; `gnu` as "L"/"K"
   * members.
   */
  readonly format?: "ustar" | "pax" | "gnu";
  /** More pax records before the member. */
  readonly records?: Readonly<Record<string, string>>;
};

const encoder = new TextEncoder();

/** An uncompressed tar of the members, in their order, with its two zero blocks. */
export function tarOf(members: readonly TarMember[]): Uint8Array<ArrayBuffer> {
  return concatBytes([...members.flatMap(blocksOf), new Uint8Array(1024)]);
}

/** The bytes of all parts, one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function blocksOf(member: TarMember): Uint8Array[] {
  const { path, target = "", format = "ustar" } = member;
  const content =
    typeof member.content === "string" ? encoder.encode(member.content) : (member.content ?? new Uint8Array());
  const longRecords: Record<string, string> =
    format === "pax" ? { path, ...(target === "" ? {} : { linkpath: target }) } : {};
  const records: [string, string][] = Object.entries({ ...longRecords, ...member.records });
  const extensions = [
    ...(records.length === 0
      ? []
      : extension("x", records.map(([keyword, value]) => paxRecord(keyword, value)).join(""))),
    ...(format === "gnu" ? extension("L", `${path}\0`) : []),
    ...(format === "gnu" && target !== "" ? extension("K", `${target}\0`) : []),
  ];
  return [...extensions, header(member, member.claimedSize ?? content.length), padded(content)];
}

function extension(type: string, text: string): Uint8Array[] {
  const content = encoder.encode(text);
  return [header({ path: "././@extension", type }, content.length), padded(content)];
}

/** `<length> <keyword>=<value>\n`, where the length counts itself. */
export function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  const size = encoder.encode(rest).length;
  const digits = String(size + String(size).length).length;
  return `${size + digits}${rest}`;
}

function header(member: TarMember, size: number): Uint8Array {
  const block = new Uint8Array(512);
  const put = (text: string, offset: number, length: number) =>
    block.set(encoder.encode(text).subarray(0, length), offset);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  const { path, format = "ustar" } = member;
  const split = format === "ustar" && path.length > 100 ? path.indexOf("/", path.length - 101) : -1;
  put(path.slice(split + 1), 0, 100);
  put(octal(member.mode ?? (member.type === "5" ? 0o755 : 0o644), 8), 100, 8);
  put(octal(member.uid ?? 0, 8), 108, 8);
  put(octal(member.gid ?? 0, 8), 116, 8);
  put(octal(size, 12), 124, 12);
  put(octal(member.modified ?? 0, 12), 136, 12);
  put("        ", 148, 8);
  put(member.type ?? "0", 156, 1);
  put(member.target ?? "", 157, 100);
  put("ustar\u000000", 257, 8);
  if (member.device !== undefined) {
    put(octal(member.device[0], 8), 329, 8);
    put(octal(member.device[1], 8), 337, 8);
  }
  if (split !== -1) put(path.slice(0, split), 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return block;
}

function padded(content: Uint8Array): Uint8Array {
  return concatBytes([content, new Uint8Array((512 - (content.length % 512)) % 512)]);
}
