import { UserError } from "../../errors.ts";
import { createTarStream } from "../tar-stream.ts";
import { createEntryCheck } from "./entry-check.ts";
import type { Fault } from "./fault.ts";

/** A tar that is checked as its bytes come, in memory that does not grow with its files. */
export type TarScan = {
  readonly push: (chunk: Uint8Array) => void;
  /** Everything that is wrong, once all bytes have come. */
  readonly end: () => readonly Fault[];
};

/**
 * Checks a plain tar to its last byte: headers, sizes, the two zero blocks at its end and nothing after them. `entries`
 * says whether what it would do to a root file system is checked too.
 */
export function createTarScan(place: string, options: { entries: boolean }): TarScan {
  const faults: Fault[] = [];
  const entry = options.entries ? createEntryCheck(place, faults) : () => {};
  const stream = createTarStream({ entry, content: () => {} });
  let isBroken = false;
  return {
    push: (chunk) => {
      if (isBroken) return;
      try {
        stream.push(chunk);
      } catch (thrown) {
        if (!(thrown instanceof UserError)) throw thrown;
        isBroken = true;
        const problem = thrown.message.replace(/^The archive is not a valid tar: |\.$/g, "");
        faults.push({ kind: "archive", place, problem });
      }
    },
    end: () => {
      const ending = isBroken ? undefined : stream.end();
      return ending === undefined ? faults : [...faults, { kind: "archive", place, problem: ending.problem }];
    },
  };
}
