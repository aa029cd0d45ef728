import { type PaxRecords, readPaxRecords } from "./pax-records.ts";
import { decodeTarText, malformed, readTarHeader, type TarHeader, tarBlockSize } from "./tar-header.ts";

/** A member as its headers describe it, before its content; `path` and `target` are as written there, unchecked. */
export type TarStreamEntry = {
  readonly path: string;
  readonly target: string;
  /** One ASCII character, as in the header. */
  readonly typeFlag: string;
  readonly size: number;
  readonly mode: number;
  /** The header's own block, to be used before the next entry. */
  readonly block: Uint8Array;
  /** What its pax header holds. */
  readonly pax: Uint8Array | undefined;
};

/** Gets what a tar holds, in order; bytes are only good during the call. */
export type TarReceiver = {
  readonly entry: (entry: TarStreamEntry) => void;
  /** Some of the last entry's content. */
  readonly content: (bytes: Uint8Array) => void;
};

/** A tar that is read as its bytes come, in memory of a fixed size. */
export type TarStream = {
  readonly push: (chunk: Uint8Array) => void;
  /** What is wrong with how it ended, once all bytes have come; `isCut` when something of an entry is missing. */
  readonly end: () => { readonly problem: string; readonly isCut: boolean } | undefined;
};

const maximumExtension = 1024 * 1024;
const endBlocks = 2;

/** What comes next: a header, content to hand on, an extension's content to keep, or nothing but zeros. */
type State =
  | { readonly kind: "header" }
  | { readonly kind: "content"; left: number; padding: number }
  | {
      readonly kind: "extension";
      readonly header: TarHeader;
      readonly parts: Uint8Array[];
      left: number;
      padding: number;
    }
  | { readonly kind: "end"; zeros: number; goesOn: boolean };

type Extensions = {
  readonly records: PaxRecords;
  readonly pax: Uint8Array | undefined;
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
};

const noExtensions: Extensions = { records: new Map(), pax: undefined, longName: undefined, longLink: undefined };

/** A stream under way. */
type Reading = {
  readonly receiver: TarReceiver;
  /** The header that is being read, and how much of it has come. */
  readonly block: Uint8Array;
  filled: number;
  state: State;
  extensions: Extensions;
};

/**
 * Reads a plain tar (v7, ustar, pax, GNU long names) that is pushed chunk by chunk. `push` throws a UserError at what is
 * no header, and nothing more must be pushed then. Global pax headers are passed over, as engines do.
 */
export function createTarStream(receiver: TarReceiver): TarStream {
  const reading: Reading = {
    receiver,
    block: new Uint8Array(tarBlockSize),
    filled: 0,
    state: { kind: "header" },
    extensions: noExtensions,
  };
  return {
    push: (chunk) => {
      for (let offset = 0; offset < chunk.length; ) offset += step(reading, chunk.subarray(offset));
    },
    end: () => problemAtEnd(reading),
  };
}

/** Takes some of the chunk in; gives how many bytes. */
function step(reading: Reading, chunk: Uint8Array): number {
  const { state } = reading;
  switch (state.kind) {
    case "header": {
      const part = chunk.subarray(0, tarBlockSize - reading.filled);
      reading.block.set(part, reading.filled);
      reading.filled += part.length;
      if (reading.filled === tarBlockSize) {
        reading.filled = 0;
        reading.state = afterHeader(reading);
      }
      return part.length;
    }
    case "content": {
      const part = chunk.subarray(0, state.left);
      if (part.length > 0) reading.receiver.content(part);
      return part.length + afterPart(reading, { state, part, rest: chunk.length - part.length });
    }
    case "extension": {
      const part = chunk.slice(0, state.left);
      state.parts.push(part);
      const padding = afterPart(reading, { state, part, rest: chunk.length - part.length });
      if (state.left === 0 && state.padding === 0) reading.extensions = extended(reading.extensions, state);
      return part.length + padding;
    }
    case "end":
      if (chunk.some((byte) => byte !== 0)) state.goesOn = true;
      state.zeros += chunk.length;
      return chunk.length;
  }
}

/** Passes over the padding as far as it has come; gives how many bytes. */
function afterPart(
  reading: Reading,
  { state, part, rest }: { state: { left: number; padding: number }; part: Uint8Array; rest: number },
): number {
  state.left -= part.length;
  const padding = state.left === 0 ? Math.min(state.padding, rest) : 0;
  state.padding -= padding;
  if (state.left === 0 && state.padding === 0) reading.state = { kind: "header" };
  return padding;
}

function afterHeader(reading: Reading): State {
  const header = readTarHeader(reading.block);
  if (header === undefined) return { kind: "end", zeros: tarBlockSize, goesOn: false };
  if ("xgLK".includes(header.typeFlag)) {
    if (header.size > maximumExtension) throw malformed("a name or its attributes are longer than 1 MiB");
    if (header.size === 0) return { kind: "header" };
    return { kind: "extension", header, parts: [], left: header.size, padding: paddingOf(header.size) };
  }
  const entry = entryOf(header, reading);
  reading.extensions = noExtensions;
  reading.receiver.entry(entry);
  return entry.size === 0 ? { kind: "header" } : { kind: "content", left: entry.size, padding: paddingOf(entry.size) };
}

function paddingOf(size: number): number {
  return (tarBlockSize - (size % tarBlockSize)) % tarBlockSize;
}

function extended(before: Extensions, { header, parts }: { header: TarHeader; parts: Uint8Array[] }): Extensions {
  const bytes = Buffer.concat(parts);
  switch (header.typeFlag) {
    case "x":
      return { ...before, records: readPaxRecords(bytes), pax: bytes };
    case "L":
      return { ...before, longName: decodeTarText(bytes) };
    case "K":
      return { ...before, longLink: decodeTarText(bytes) };
  }
  readPaxRecords(bytes);
  return before;
}

function entryOf(header: TarHeader, { block, extensions }: Reading): TarStreamEntry {
  const { records, pax, longName, longLink } = extensions;
  const size = records.get("size") || undefined;
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw malformed("a pax size is not a number");
  return {
    // An empty record takes back what was said before.
    path: records.get("path") || longName || header.name,
    target: records.get("linkpath") || longLink || header.linkName,
    typeFlag: header.typeFlag,
    size: size === undefined ? header.size : Number(size),
    mode: header.mode,
    block,
    pax,
  };
}

function problemAtEnd({ state, filled }: Reading): { problem: string; isCut: boolean } | undefined {
  switch (state.kind) {
    case "header":
      return filled > 0
        ? { problem: "it ends inside a header", isCut: true }
        : { problem: "it ends without the two zero blocks of a tar", isCut: false };
    case "content":
    case "extension":
      return { problem: "it ends inside an entry", isCut: true };
    case "end":
      if (state.goesOn) return { problem: "it goes on after its end", isCut: false };
      if (state.zeros < endBlocks * tarBlockSize) {
        return { problem: "it ends without the two zero blocks of a tar", isCut: false };
      }
      return state.zeros % tarBlockSize === 0 ? undefined : { problem: "it does not end at a block", isCut: false };
  }
}
