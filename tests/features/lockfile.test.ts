import { describe, expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import {
  type LockedFeature,
  type Lockfile,
  parseLockfile,
  reconcileLockfile,
  renderLockfile,
} from "../../src/features/lockfile.ts";

const one = `sha256:${"1".repeat(64)}` as const;
const two = `sha256:${"2".repeat(64)}` as const;
const locked: Lockfile = new Map<string, LockedFeature>([
  ["git", { version: "1.2.3", resolved: `ghcr.io/devcontainers/features/git@${one}`, integrity: one }],
  [
    "GHCR.io/Acme/go:1",
    { version: "1.0.0", resolved: `ghcr.io/acme/go@${two}`, integrity: two, dependsOn: ["./local", "git"] },
  ],
]);
const text = `{
  "features": {
    "GHCR.io/Acme/go:1": {
      "version": "1.0.0",
      "resolved": "ghcr.io/acme/go@${two}",
      "integrity": "${two}",
      "dependsOn": [
        "./local",
        "git"
      ]
    },
    "git": {
      "version": "1.2.3",
      "resolved": "ghcr.io/devcontainers/features/git@${one}",
      "integrity": "${one}"
    }
  }
}
`;

test("a lockfile is written with sorted ids, two spaces and a final newline", () => {
  expect(renderLockfile(locked)).toBe(text);
  expect(renderLockfile(new Map([...locked].reverse()))).toBe(text);
});

test("a lockfile without Features is written all the same", () => {
  expect(renderLockfile(new Map())).toBe('{\n  "features": {}\n}\n');
});

describe("reading", () => {
  test("gives back what was written", () => {
    expect(renderLockfile(parseLockfile(text, { file: "f" }) ?? new Map())).toBe(text);
  });

  test("whitespace only is no lockfile", () => {
    expect(parseLockfile(" \n", { file: "f" })).toBeUndefined();
  });

  test("what is not JSON is an error with its place", () => {
    expect(() => parseLockfile('{\n  "features": {,}\n}', { file: "/ws/devcontainer-lock.json" })).toThrow(
      "/ws/devcontainer-lock.json:2:16: found",
    );
  });

  test.each([
    [
      '{"features":{"a/b.c":{"resolved":"x","integrity":"md5:1"}}}',
      'f:1:50: features["a/b.c"].integrity: found "md5:1"; wanted a digest ("sha256:" and 64 hex digits).',
    ],
    ['{"features":{"a/b":{"integrity":"x"}}}', 'features["a/b"].resolved is missing.'],
    ['{"features":[]}', "f:1:13: features: found an array; wanted an object."],
    ["[]", "f:1:1: found an array; wanted an object."],
  ])("%p is an error with its place and property", (broken, message) => {
    expect(() => parseLockfile(broken, { file: "f" })).toThrow(message);
  });
});

describe("after resolving", () => {
  const reconcile = (existing: string | undefined, frozen = false) => reconcileLockfile(locked, { existing, frozen });

  test("an absent, empty, broken or different lockfile is written", () => {
    for (const existing of [undefined, "", "{", '{"features":{}}']) {
      expect(reconcile(existing)).toEqual({ kind: "write", text });
    }
  });

  test("an equal lockfile is left alone, however it is formatted", () => {
    expect(reconcile(JSON.stringify(JSON.parse(text)))).toEqual({ kind: "unchanged" });
    expect(reconcile(text, true)).toEqual({ kind: "unchanged" });
  });

  test("a frozen lockfile must exist", () => {
    expect(() => reconcile(undefined, true)).toThrow(new UserError("Lockfile does not exist."));
  });

  test("a frozen lockfile must match; the ids that differ are named", () => {
    expect(() => reconcile("", true)).toThrow("Lockfile does not match.");
    try {
      reconcile(text.replace("1.2.3", "1.2.4"), true);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        message: "Lockfile does not match.",
        hint: expect.stringContaining("differ: git."),
      });
    }
  });
});
