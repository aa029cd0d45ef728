import { describe, expect, test } from "bun:test";
import {
  type ComparableFeature,
  compareFeatures,
  compareValues,
  isSameFeature,
  matchesReference,
} from "../../src/features/compare.ts";
import { compareText } from "../../src/features/compare-text.ts";
import { classifyFeatureId } from "../../src/features/reference.ts";

const location = { configFolder: "/ws/.devcontainer", workspaceFolder: "/ws" };
const reference = (userId: string) => classifyFeatureId(userId, location).reference;

function feature(userId: string, rest: Partial<ComparableFeature> = {}): ComparableFeature {
  const where = reference(userId);
  return {
    userId,
    reference: where,
    value: {},
    digest: where.kind === "oci" ? "d" : undefined,
    aliases: [where.id],
    ...rest,
  };
}

const sorted = (...features: ComparableFeature[]) =>
  features.sort(compareFeatures).map(({ userId, value }) => [userId, value]);

describe("texts", () => {
  test("are ordered punctuation, digits, letters whatever their case, lower case first when equal otherwise", () => {
    const expected = [
      "",
      "_c",
      "-d",
      ".e",
      "1",
      "a",
      "a_b",
      "a-b",
      "a.b",
      "a/b",
      "a1",
      "ab",
      "aB",
      "Ab",
      "AB",
      "abc",
      "B",
      "C",
      "é",
    ];
    expect([...expected].reverse().sort(compareText)).toEqual(expected);
  });

  test("are ordered as the root collation of Unicode orders printable ASCII", () => {
    const characters = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
    const collator = new Intl.Collator("en-US");
    expect([...characters].sort(compareText)).toEqual([...characters].sort(collator.compare));
  });
});

describe("option values", () => {
  test("are ordered by type, then content; an object with fewer keys comes first", () => {
    const expected = [false, true, {}, { y: "2" }, { z: "1" }, { z: "2" }, { a: "1", b: "1" }, "", "a", "b"];
    expect([...expected].reverse().sort(compareValues)).toEqual(expected);
  });

  test("are the same in whatever order their keys stand", () => {
    expect(compareValues({ a: "1", b: true }, { b: true, a: "1" })).toBe(0);
    expect(compareValues({ a: "1", b: true }, { b: "true", a: "1" })).not.toBe(0);
  });
});

describe("the order within a round", () => {
  test("is by registry and namespace, id, tag, options, digest for registries", () => {
    const m = "ghcr.io/fx/t/m";
    const expected = [
      feature("ghcr.io:443/fx/t/z", { digest: "1" }),
      feature("ghcr.io/fx/t/a", { digest: "2" }),
      feature(`${m}:1`, { digest: "3" }),
      feature(`${m}:1.0`, { digest: "3", value: "x" }),
      feature(`${m}:1.0.0`, { digest: "3", value: true }),
      feature(`${m}:10`, { digest: "4" }),
      feature(`${m}:2`, { digest: "5" }),
      feature(m, { digest: "4", value: { b: "1" } }),
      feature("ghcr.io/fx/tt/aa", { digest: "6" }),
    ];
    expect(sorted(...[...expected].reverse())).toEqual(expected.map(({ userId, value }) => [userId, value]));
  });

  test("is by what the user wrote between different kinds", () => {
    expect(
      sorted(
        feature("https://a.b/devcontainer-feature-x.tgz"),
        feature("ghcr.io/a/b"),
        feature("acme/t/x"),
        feature("./x"),
      ),
    ).toEqual([
      ["./x", {}],
      ["acme/t/x", {}],
      ["ghcr.io/a/b", {}],
      ["https://a.b/devcontainer-feature-x.tgz", {}],
    ]);
  });

  test("takes a renamed Feature for its older self, so that the tag decides", () => {
    const renamed = feature("ghcr.io/fx/al/znew:2", { digest: "2", aliases: ["znew", "aold"] });
    expect(compareFeatures(feature("ghcr.io/fx/al/aold:3", { digest: "1" }), renamed)).toBeGreaterThan(0);
    const other = feature("ghcr.io/fx/al/znew:2", { digest: "2" });
    expect(compareFeatures(feature("ghcr.io/fx/al/aold:3", { digest: "1" }), other)).toBeLessThan(0);
  });
});

describe("the same Feature", () => {
  test("is the same content with the same options, wherever it was found", () => {
    expect(isSameFeature(feature("ghcr.io/a/b:1"), feature("ghcr.io/c/d"))).toBe(true);
    expect(isSameFeature(feature("ghcr.io/a/b:1"), feature("ghcr.io/a/b:1", { value: "x" }))).toBe(false);
    expect(isSameFeature(feature("ghcr.io/a/b"), feature("ghcr.io/a/b", { digest: "e" }))).toBe(false);
  });

  test("is the same folder however it was written", () => {
    expect(isSameFeature(feature("./a"), feature("./b/../a"))).toBe(true);
    expect(isSameFeature(feature("./a"), feature("./A"))).toBe(false);
  });

  test("is never of another kind", () => {
    expect(isSameFeature(feature("acme/t/x"), feature("acme/t/x", { reference: reference("./x") }))).toBe(false);
  });

  test("of a GitHub repository is so whatever its tag", () => {
    expect(isSameFeature(feature("acme/t/x@v1"), feature("acme/t/x"))).toBe(true);
    expect(isSameFeature(feature("acme/t/x"), feature("acme/t/y"))).toBe(false);
  });
});

describe("a reference without options matches", () => {
  const renamed = feature("ghcr.io/fx/al/znew:2", { aliases: ["znew", "zold"], value: "x" });

  test.each(["ghcr.io/fx/al/znew", "ghcr.io/fx/al/znew:9", "ghcr.io/fx/al/zold:1"])(
    "%p by resource or name",
    (userId) => {
      expect(matchesReference(renamed, reference(userId))).toBe(true);
    },
  );

  test.each(["ghcr.io/fx/other/zold", "ghcr.io/fx/al/else", "./znew", "fx/al/znew"])("not %p", (userId) => {
    expect(matchesReference(renamed, reference(userId))).toBe(false);
  });

  test.each(["./a", "https://a.b/devcontainer-feature-x.tgz", "acme/t/x@v1"])(
    "the other kinds by place: %p",
    (userId) => {
      expect(matchesReference(feature(userId), reference(userId))).toBe(true);
      expect(matchesReference(feature(userId), reference(userId.replace(/x|a$/, "y")))).toBe(false);
    },
  );
});
