import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { type Descriptor, descriptorSchema, digestSchema } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { descriptorJson } from "../oci/image.ts";
import { readJsonDocument } from "../oci/json-document.ts";
import { stagedPath } from "./staged-path.ts";

/** What a step of a build came to: the diff id of its layer, and the layer's blob. */
export interface StepRecord {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
}

/** A record with what pruning asks of it. */
export interface KeptStep extends StepRecord {
  /** 64 hex digits. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly lastUsed: number;
}

const recordSchema = v.object({ diffId: digestSchema, descriptor: descriptorSchema });

/** The record of a step in a store's folder, which counts as using it; undefined when there is none, or it cannot be read. */
export function readStep(folder: string, key: string): StepRecord | undefined {
  const path = pathOf(folder, key);
  const record = parseStep(path);
  const now = new Date();
  try {
    if (record !== undefined) utimesSync(path, now, now);
  } catch {
    // A store that may only be read forgets.
  }
  return record;
}

/** Keeps the record of a step. */
export function writeStep(folder: string, key: string, { diffId, descriptor }: StepRecord): void {
  const path = pathOf(folder, key);
  mkdirSync(join(folder, "steps"), { recursive: true });
  const staged = stagedPath(path);
  writeFileSync(staged, JSON.stringify({ diffId, descriptor: descriptorJson(descriptor) }));
  renameSync(staged, path);
}

/** All records that can be read, oldest use first. */
export function listSteps(folder: string): readonly KeptStep[] {
  const steps = namesIn(join(folder, "steps")).flatMap((name) => {
    const [, key] = /^([0-9a-f]{64})\.json$/.exec(name) ?? [];
    const record = key === undefined ? undefined : parseStep(pathOf(folder, key));
    const stats = statSync(join(folder, "steps", name), { throwIfNoEntry: false });
    return key === undefined || record === undefined || stats === undefined
      ? []
      : [{ key, ...record, lastUsed: stats.mtimeMs }];
  });
  return steps.toSorted((left, right) => left.lastUsed - right.lastUsed);
}

function parseStep(path: string): StepRecord | undefined {
  try {
    return readJsonDocument(readFileSync(path), { schema: recordSchema, what: path });
  } catch {
    return undefined;
  }
}

function pathOf(folder: string, key: string): string {
  if (!/^[0-9a-f]{64}$/.test(key)) throw new TypeError(`${JSON.stringify(key)} is no key of a step.`);
  return join(folder, "steps", `${key}.json`);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
