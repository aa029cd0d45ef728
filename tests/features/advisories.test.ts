import { describe, expect, test } from "bun:test";
import {
  advisoriesText,
  findAdvisories,
  findDisallowedFeature,
  parseControlManifest,
} from "../../src/features/advisories.ts";

const advisory = {
  featureId: "ghcr.io/a/b",
  introducedInVersion: "1.0.1",
  fixedInVersion: "1.1.10",
  description: "It bites.",
  documentationURL: "https://example.com/b",
};
const manifest = parseControlManifest({
  disallowedFeatures: [{ featureIdPrefix: "example.io/test/node", documentationURL: "https://example.io" }],
  featureAdvisories: [advisory],
});

test("malformed members of a control manifest are left out", () => {
  expect(
    parseControlManifest({
      disallowedFeatures: [{}, 1, { featureIdPrefix: "x" }],
      featureAdvisories: [advisory, { ...advisory, description: 1 }],
    }),
  ).toEqual({ disallowedFeatures: [{ featureIdPrefix: "x" }], featureAdvisories: [advisory] });
  for (const value of [null, [], "x", {}, { disallowedFeatures: {} }]) {
    expect(parseControlManifest(value)).toEqual({ disallowedFeatures: [], featureAdvisories: [] });
  }
});

describe("the prefix example.io/test/node", () => {
  test.each(["example.io/test/node", "example.io/test/node:1", "example.io/test/node/js", "example.io/test/node@abc"])(
    "forbids %p",
    (userId) => {
      expect(findDisallowedFeature(manifest, ["./ok", userId])?.userId).toBe(userId);
    },
  );

  test.each(["example.io/test/nodej", "example.io/test/nod", "example.io/test/node.js", "x/example.io/test/node"])(
    "allows %p",
    (userId) => {
      expect(findDisallowedFeature(manifest, [userId])).toBeUndefined();
    },
  );
});

describe("an advisory from 1.0.1 to 1.1.10", () => {
  const affects = (version: string, resource = "ghcr.io/a/b") =>
    findAdvisories(manifest, [{ resource, version }]).length === 1;

  test.each(["1.0.1", "1.0.10", "1.1.9", "1.1.10-rc.1"])("applies to %p", (version) => {
    expect(affects(version)).toBe(true);
  });

  test.each(["1.0.0", "1.0.1-alpha", "1.1.10", "2.0.0", "latest", "1.1", ""])("does not apply to %p", (version) => {
    expect(affects(version)).toBe(false);
  });

  test("does not apply to another Feature", () => {
    expect(affects("1.0.1", "ghcr.io/a/bb")).toBe(false);
  });
});

test("advisories are one block that names Feature, versions and the page to read", () => {
  expect(advisoriesText(findAdvisories(manifest, [{ resource: "ghcr.io/a/b", version: "1.0.5" }]))).toBe(
    `FEATURE ADVISORIES:
- ghcr.io/a/b 1.0.5: It bites. (from 1.0.1, fixed in 1.1.10)
  See https://example.com/b
Update these Features, for example by rebuilding without cache.`,
  );
  expect(advisoriesText([])).toBeUndefined();
});
