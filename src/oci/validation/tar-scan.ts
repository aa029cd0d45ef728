import { UserError } from "../../errors.ts";
import { type PaxRecords, readPaxRecords } from "../pax-records.ts";
import { decodeTarText, readTarHeader, type TarHeader, tarBlockSize } from "../tar-header.ts";
import { createEntryCheck, type ScannedEntry } from "./entry-check.ts";
import type { Fault } from "./fault.ts";

/** A tar that is checked as its bytes come, in memory that does not grow with its files. */
export type TarScan = {
  readonly push: (chunk: Uint8Array) => void;
  /** Everything that is wrong, once all bytes have come. */
  readonly end: () => readonly Fault[];
};

const maximumExtension = 1024 * 1024;
const endBlocks = 2;

/** What comes next: a header, content to pass over, an extension's content to keep, or nothing but zeros. */
type State =
  | { readonly kind: "header" }
  | { readonly kind: "content"; left: number }
  | {
      readonly kind: "extension";
      readonly header: TarHeader;
      readonly parts: Uint8Array[];
      left: number;
      padding: number;
    }
  | { readonly kind: "end"; zeros: number }
  | { readonly kind: "broken" };

type Extensions = { records: PaxRecords; longName: string | undefined; longLink: string | undefined };

/** A scan under way. */
type Scan = {
  readonly place: string;
  readonly faults: Fault[];
  readonly checkEntry: ((entry: ScannedEntry) => void) | undefined;
  /** The header that is being read, and how much of it has come. */
  readonly block: Uint8Array;
  filled: number;
  state: State;
  extensions: Extensions;
};

/**
 * Checks a plain tar to its last byte: headers, sizes, the two zero blocks at its end and nothing after them. `entries`
 * says whether what it would do to a root file system is checked too.
 */
export function createTarScan(place: string, options: { entries: boolean }): TarScan {
  const faults: Fault[] = [];
  const scan: Scan = {
    place,
    faults,
    checkEntry: options.entries ? createEntryCheck(place, faults) : undefined,
    block: new Uint8Array(tarBlockSize),
    filled: 0,
    state: { kind: "header" },
    extensions: noExtensions(),
  };
  return {
    push: (chunk) => {
      for (let rest = chunk; rest.length > 0; ) rest = rest.subarray(step(scan, rest));
    },
    end: () => {
      const problem = problemAtEnd(scan.state, scan.filled);
      return problem === undefined ? faults : [...faults, { kind: "archive", place, problem }];
    },
  };
}

function noExtensions(): Extensions {
  return { records: new Map(), longName: undefined, longLink: undefined };
}

/** Takes some of the chunk in; gives how many bytes. */
function step(scan: Scan, chunk: Uint8Array): number {
  const { state } = scan;
  switch (state.kind) {
    case "header": {
      const part = chunk.subarray(0, tarBlockSize - scan.filled);
      scan.block.set(part, scan.filled);
      scan.filled += part.length;
      if (scan.filled === tarBlockSize) {
        scan.filled = 0;
        scan.state = guard(scan, () => afterHeader(scan));
      }
      return part.length;
    }
    case "content": {
      const taken = Math.min(state.left, chunk.length);
      state.left -= taken;
      if (state.left === 0) scan.state = { kind: "header" };
      return taken;
    }
    case "extension":
      return stepExtension(scan, state, chunk);
    case "end":
      if (chunk.some((byte) => byte !== 0)) scan.state = broken(scan, "it goes on after its end");
      else state.zeros += chunk.length;
      return chunk.length;
    case "broken":
      return chunk.length;
  }
}

function afterHeader(scan: Scan): State {
  const header = readTarHeader(scan.block);
  if (header === undefined) return { kind: "end", zeros: tarBlockSize };
  const padding = (tarBlockSize - (header.size % tarBlockSize)) % tarBlockSize;
  if ("xgLK".includes(header.typeFlag)) {
    if (header.size > maximumExtension) return broken(scan, "a name or its attributes are longer than 1 MiB");
    return { kind: "extension", header, parts: [], left: header.size, padding };
  }
  const entry = entryOf(header, scan.extensions);
  scan.extensions = noExtensions();
  scan.checkEntry?.(entry);
  const left = Math.ceil(entry.size / tarBlockSize) * tarBlockSize;
  return left === 0 ? { kind: "header" } : { kind: "content", left };
}

function stepExtension(scan: Scan, state: Extract<State, { kind: "extension" }>, chunk: Uint8Array): number {
  const part = chunk.slice(0, state.left);
  state.parts.push(part);
  state.left -= part.length;
  const padding = Math.min(state.padding, chunk.length - part.length);
  state.padding -= padding;
  if (state.left === 0 && state.padding === 0) {
    scan.state = guard(scan, () => {
      scan.extensions = extended(scan.extensions, state);
      return { kind: "header" };
    });
  }
  return part.length + padding;
}

function broken({ faults, place }: Scan, problem: string): State {
  faults.push({ kind: "archive", place, problem });
  return { kind: "broken" };
}

function guard(scan: Scan, work: () => State): State {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    return broken(scan, thrown.message.replace(/^The archive is not a valid tar: |\.$/g, ""));
  }
}

function problemAtEnd(state: State, filled: number): string | undefined {
  switch (state.kind) {
    case "header":
      return filled > 0 ? "it ends inside a header" : "it ends without the two zero blocks of a tar";
    case "content":
    case "extension":
      return "it ends inside an entry";
    case "end":
      if (state.zeros < endBlocks * tarBlockSize) return "it ends without the two zero blocks of a tar";
      return state.zeros % tarBlockSize === 0 ? undefined : "it does not end at a block";
    case "broken":
      return undefined;
  }
}

function extended(before: Extensions, { header, parts }: { header: TarHeader; parts: Uint8Array[] }): Extensions {
  const bytes = Buffer.concat(parts);
  switch (header.typeFlag) {
    case "x":
      return { ...before, records: readPaxRecords(bytes) };
    case "L":
      return { ...before, longName: decodeTarText(bytes) };
    case "K":
      return { ...before, longLink: decodeTarText(bytes) };
  }
  readPaxRecords(bytes);
  return before;
}

function entryOf(header: TarHeader, { records, longName, longLink }: Extensions): ScannedEntry {
  const size = records.get("size");
  return {
    path: records.get("path") ?? longName ?? header.name,
    target: records.get("linkpath") ?? longLink ?? header.linkName,
    typeFlag: header.typeFlag,
    size: size === undefined ? header.size : Number(size),
  };
}
