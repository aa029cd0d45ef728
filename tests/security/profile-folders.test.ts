import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARTIFACTS_FOLDER, makeOwnFolder } from "../../src/workflows/profile-artifacts.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-profile-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each(["first", "second"])(
  "a link as the %s of its folders does not lead cooper out of the repository",
  (which) => {
    const repository = mkdtempSync(join(root, "repository-"));
    const outside = mkdtempSync(join(root, "outside-"));
    if (which === "first") symlinkSync(outside, join(repository, ".pf_manifest"));
    else {
      mkdirSync(join(repository, ".pf_manifest"));
      symlinkSync(outside, join(repository, ".pf_manifest", "image_build"));
    }
    expect(() => makeOwnFolder(repository, ARTIFACTS_FOLDER)).toThrow("is a link");
    expect(readdirSync(outside)).toEqual([]);
  },
);

test("folders are made where there are none, and used where they are", () => {
  const repository = mkdtempSync(join(root, "repository-"));
  const made = makeOwnFolder(repository, ARTIFACTS_FOLDER);
  expect(made).toBe(join(repository, ".pf_manifest", "image_build"));
  expect(makeOwnFolder(repository, ARTIFACTS_FOLDER)).toBe(made);
});
