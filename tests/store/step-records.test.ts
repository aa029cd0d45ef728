import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { listSteps, readStep, writeStep } from "../../src/store/step-records.ts";

const folder = mkdtempSync(join(tmpdir(), "cooper-steps-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = "0123456789abcdef".repeat(4);
const other = "f".repeat(64);
const descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: sha256Of("blob"), size: 4, annotations: {} };
const record = { diffId: sha256Of("layer"), descriptor };

test("a step is remembered, and reading it counts as using it", () => {
  expect(readStep(folder, key)).toBeUndefined();
  writeStep(folder, key, record);
  utimesSync(join(folder, "steps", `${key}.json`), 1000, 1000);
  expect(readStep(folder, key)).toEqual(record);
  expect(statSync(join(folder, "steps", `${key}.json`)).mtimeMs).toBeGreaterThan(1_000_000);
});

test("steps are listed by their last use, apart from what is none", () => {
  writeStep(folder, key, record);
  writeStep(folder, other, record);
  writeFileSync(join(folder, "steps", `${"a".repeat(64)}.json`), "{");
  writeFileSync(join(folder, "steps", ".x.partial"), "");
  utimesSync(join(folder, "steps", `${other}.json`), 1000, 1000);
  expect(listSteps(folder).map((step) => step.key)).toEqual([other, key]);
});

test("a record that is broken is none, and a key that is no hash is a mistake", () => {
  writeFileSync(join(folder, "steps", `${key}.json`), '{"diffId":"sha256:1"}');
  expect(readStep(folder, key)).toBeUndefined();
  expect(() => readStep(folder, "../../etc/passwd")).toThrow("is no key of a step");
});
