import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { NewLayer } from "../oci/append-layers.ts";
import { descriptorSchema, digestSchema } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { blobPath } from "./oci-layout-source.ts";
import { stagedPath } from "./staged-path.ts";

/** What a step's key leads to. */
export const stepRecordSchema = v.object({ diffId: digestSchema, descriptor: descriptorSchema });

/** The layers that steps came out as, by the steps' keys: 64 hex digits. */
export interface StepRecords {
  /** Undefined where there is none, or what it stands for is not whole. Being asked for counts as being used. */
  readonly find: (key: string) => NewLayer | undefined;
  readonly write: (key: string, layer: NewLayer) => void;
}

/** The records of cooper's store in a folder. */
export function openStepRecords(folder: string): StepRecords {
  const pathOf = (key: string) => join(folder, "steps", `${key}.json`);
  return {
    find(key) {
      const record = readRecord(pathOf(key));
      if (record === undefined || !hasBlob(folder, record.descriptor)) return undefined;
      touch(pathOf(key));
      return record;
    },
    write(key, { diffId, descriptor }) {
      mkdirSync(join(folder, "steps"), { recursive: true });
      const staged = stagedPath(pathOf(key));
      writeFileSync(staged, JSON.stringify({ diffId, descriptor }));
      renameSync(staged, pathOf(key));
    },
  };
}

function readRecord(path: string): NewLayer | undefined {
  try {
    return v.parse(stepRecordSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Absent, or cut off when the machine went down: the step is run again.
    return undefined;
  }
}

function hasBlob(folder: string, { digest, size }: { readonly digest: Digest; readonly size: number }): boolean {
  return statSync(join(folder, blobPath(digest)), { throwIfNoEntry: false })?.size === size;
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // A store that may only be read forgets.
  }
}
