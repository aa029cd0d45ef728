import { describe, expect, test } from "bun:test";
import { type CredentialFacts, checkCredentials } from "../../../src/runtime/diagnosis/check-credentials.ts";
import { readCredentialNames, readOciAuth } from "../../../src/runtime/diagnosis/credential-names.ts";
import { healthyFacts } from "./healthy-facts.ts";

const FILE = "/home/ada/.docker/config.json";
const nothing = healthyFacts().credentials;
const withFile = (text: string, missing: readonly string[] = []): CredentialFacts => ({
  ...nothing,
  files: [{ path: FILE, state: readCredentialNames(text) }],
  missingPrograms: new Set(missing),
});
const lines = (facts: CredentialFacts, usesPodman = false) =>
  checkCredentials(facts, usesPodman).map(({ status, detail, remedy }) => [status, detail, remedy]);

describe("the names in a file of credentials", () => {
  test("are those of registries that it has something for, as people call them", () => {
    const text = JSON.stringify({
      auths: {
        "https://index.docker.io/v1/": { auth: "YTpi" },
        "private.test:5002": { identitytoken: "t" },
        "https://user:secret@odd.test/v2/": { auth: "YTpi" },
        "kept-by-a-helper.test": {},
      },
      credsStore: "desktop",
      credHelpers: { "public.ecr.aws": "ecr-login" },
    });
    expect(readCredentialNames(text)).toEqual({
      kind: "read",
      names: {
        registries: ["docker.io", "odd.test", "private.test:5002"],
        helpers: [
          { registry: null, program: "docker-credential-desktop" },
          { registry: "public.ecr.aws", program: "docker-credential-ecr-login" },
        ],
      },
    });
  });

  test.each([
    ["{}", { kind: "read", names: { registries: [], helpers: [] } }],
    ['{"auths": null, "credsStore": ""}', { kind: "read", names: { registries: [], helpers: [] } }],
    ['{"auths": {\n  "x": hunter2', { kind: "broken", position: "2:8" }],
    ["", { kind: "broken", position: "1:1" }],
    ["[]", { kind: "broken", position: "1:1" }],
    ['{"auths": {},}', { kind: "broken", position: "1:14" }],
  ] as const)("of %j", (text, state) => {
    expect(readCredentialNames(text)).toEqual(state);
  });

  test("of DEVCONTAINERS_OCI_AUTH are the registries, and malformed entries go by their place alone", () => {
    expect(readOciAuth("")).toEqual({ registries: [], malformed: [] });
    expect(readOciAuth("a.test|u|token,hunter2,b.test|u|token|x,|u|t")).toEqual({
      registries: ["a.test"],
      malformed: [2, 3, 4],
    });
  });
});

test("every source of credentials is named, in one line", () => {
  const facts = {
    ...withFile('{"auths":{"ghcr.io":{"auth":"YTpi"},"quay.io":{"auth":"YTpi"}},"credHelpers":{"ecr.test":"ecr"}}'),
    environment: { ociAuth: ["a.test"], malformedOciAuth: [], githubToken: true },
  };
  expect(lines(facts)).toEqual([
    [
      "ok",
      `ghcr.io and quay.io (${FILE}); ecr.test (docker-credential-ecr, from ${FILE}); a.test (DEVCONTAINERS_OCI_AUTH); ghcr.io (GITHUB_TOKEN)`,
      undefined,
    ],
  ]);
});

test("a helper that is not installed stops pulls, and its line says for which registries", () => {
  const programs = ["docker-credential-desktop.exe", "docker-credential-ecr"];
  expect(lines(withFile('{"credsStore":"desktop.exe","credHelpers":{"ecr.test":"ecr"}}', programs))).toEqual([
    [
      "problem",
      `docker-credential-desktop.exe, which ${FILE} names for every registry, is not on PATH: pulls fail, even of public images`,
      'Install it, or take "credsStore" out of the file and log in again.',
    ],
    [
      "problem",
      `docker-credential-ecr, which ${FILE} names for ecr.test, is not on PATH: pulls from ecr.test fail, even of public images`,
      'Install it, or take "ecr.test" under "credHelpers" out of the file and log in again.',
    ],
  ]);
});

test("a broken file is a problem with its place, and none of its text", () => {
  expect(lines(withFile('{"auths": {"ghcr.io": {"auth": hunter2'))).toEqual([
    [
      "problem",
      `${FILE}:1:32 is not JSON: engines stop, or ask registries anonymously`,
      "Correct it; an empty configuration is {}.",
    ],
  ]);
});

test("a file that cannot be read is a problem", () => {
  const facts = {
    ...nothing,
    files: [{ path: FILE, state: { kind: "unreadable", found: "permission denied" } as const }],
  };
  expect(lines(facts)).toEqual([
    ["problem", `${FILE} cannot be read: permission denied`, "Make it readable for you, and for nobody else."],
  ]);
});

test("entries of DEVCONTAINERS_OCI_AUTH that cannot be used are counted out", () => {
  const environment = { ociAuth: [], malformedOciAuth: [2, 3], githubToken: false };
  expect(lines({ ...nothing, environment })).toEqual([
    [
      "warning",
      "entries 2 and 3 of DEVCONTAINERS_OCI_AUTH cannot be used",
      "Entries are registry|user|token, separated by commas.",
    ],
  ]);
});

test("DOCKER_CONFIG without a config.json stops Podman, and docker not at all", () => {
  const facts = { ...nothing, promisedFile: "/my conf/config.json" };
  expect(lines(facts)).toEqual([["ok", "none: registries are asked anonymously", undefined]]);
  expect(lines(facts, true)).toEqual([
    [
      "warning",
      "DOCKER_CONFIG is set, and /my conf/config.json does not exist: Podman then refuses to pull",
      "Create it, or unset DOCKER_CONFIG:\n  echo '{}' > '/my conf/config.json'",
    ],
  ]);
});
