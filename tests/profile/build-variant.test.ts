import { expect, test } from "bun:test";
import { BUILD_VARIANTS, nextVariant, type VariantName, variantFile } from "../../src/profile/build-variant.ts";
import { parseRepoProfile } from "../../src/profile/repo-profile.ts";

const profile = (members: object = {}) =>
  parseRepoProfile(JSON.stringify({ install_cmds: [], ...members }), "p").profile;

function next(failed: VariantName, output: string, members: object = {}): VariantName | undefined {
  const variant = BUILD_VARIANTS.find(({ name }) => name === failed);
  if (variant === undefined) throw new Error(`no variant ${failed}`);
  return nextVariant(variant, output, profile(members))?.name;
}

const GONE = "E: The repository 'http://ftp.debian.org/debian buster Release' does not have a Release file.";
const NOT_FOUND = "Err:4 http://ftp.debian.org/debian buster Release\n  404  Not Found [IP: 1.2.3.4 80]";
const UNSIGNED = "W: GPG error: http://archive.debian.org jessie: NO_PUBKEY 1234";
const HEADER = "module.c:1:10: fatal error: Python.h: No such file or directory";

test("a release that the mirrors have dropped is looked for in the archive", () => {
  expect(next("standard", GONE)).toBe("archive");
  expect(next("standard", NOT_FOUND)).toBe("archive");
  expect(next("builder", GONE)).toBe("builder-archive");
});

test("an old Python's release is taken unsigned at once, where the profile allows that", () => {
  const old = { python_version_target: "3.6", allow_unauthenticated_apt: true };
  expect(next("standard", GONE, old)).toBe("archive-unauth");
  expect(next("standard", GONE, { ...old, policy_profile: "strict" })).toBe("archive");
  expect(next("standard", GONE, { ...old, python_version_target: "3.10" })).toBe("archive");
  expect(next("standard", GONE, { python_version_target: "3.6" })).toBe("archive");
});

test("signatures are done without only where the profile allows that", () => {
  expect(next("archive", UNSIGNED, { allow_unauthenticated_apt: true })).toBe("archive-unauth");
  expect(next("archive", UNSIGNED)).toBeUndefined();
  expect(next("archive", UNSIGNED, { allow_unauthenticated_apt: true, policy_profile: "strict" })).toBeUndefined();
});

test("missing headers and wheels that do not build ask for builder packages, from where the others come", () => {
  expect(next("standard", HEADER)).toBe("builder");
  expect(next("archive", "ERROR: Failed building wheel for cffi")).toBe("builder-archive");
  expect(next("archive-unauth", HEADER)).toBe("builder-archive-unauth");
  expect(next("builder", HEADER)).toBeUndefined();
});

test("any other failure is final, a package index's 404 as well", () => {
  expect(next("standard", "ERROR: HTTP error 404 while getting https://example.com/x.whl")).toBeUndefined();
  expect(next("standard", "exit code: 1")).toBeUndefined();
});

test("no chain of failures tries a variant twice", () => {
  const allowed = { allow_unauthenticated_apt: true };
  for (const output of [GONE, UNSIGNED, HEADER, `${GONE}\n${UNSIGNED}\n${HEADER}`]) {
    const seen: VariantName[] = [];
    for (let name: VariantName | undefined = "standard"; name !== undefined; name = next(name, output, allowed)) {
      expect(seen).not.toContain(name);
      seen.push(name);
    }
  }
});

test("each variant has a file of its own", () => {
  expect(BUILD_VARIANTS.map(variantFile)).toEqual([
    "Dockerfile",
    "Dockerfile.builder",
    "Dockerfile.archive",
    "Dockerfile.archive-unauth",
    "Dockerfile.builder-archive",
    "Dockerfile.builder-archive-unauth",
  ]);
});
