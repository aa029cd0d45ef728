import { describe, expect, test } from "bun:test";
import type { FeatureValue } from "../../src/devcontainer/schema.ts";
import { buildFeatureGraph, type LoadedFeature } from "../../src/features/graph.ts";
import { orderFeatures } from "../../src/features/install-order.ts";
import { parseFeatureManifest } from "../../src/features/manifest-schema.ts";
import { classifyFeatureId } from "../../src/features/reference.ts";
import { orderFixtures } from "./order-fixtures.ts";

const location = { configFolder: "/ws/.devcontainer", workspaceFolder: "/ws" };
const classify = (userId: string) => classifyFeatureId(userId, location).reference;

/** Features by what follows the last slash of their ids; registry ones have that as their digest. */
function sourceOf(manifests: Readonly<Record<string, object>>, options: { loaded?: string[] } = {}) {
  const load = async (userId: string): Promise<LoadedFeature> => {
    options.loaded?.push(userId);
    const reference = classify(userId);
    const manifest = parseFeatureManifest(JSON.stringify({ id: reference.id, ...manifests[reference.id] }), {
      userId,
      file: "f",
    });
    const digest = reference.kind === "local" ? undefined : userId;
    return { userId, reference, digest, manifest: manifest.manifest };
  };
  return { classify, load };
}

async function orderOf(
  features: Readonly<Record<string, FeatureValue>>,
  options: { manifests: Readonly<Record<string, object>>; override?: readonly string[] },
) {
  const requested = Object.entries(features).map(([userId, value]) => ({ userId, value }));
  const nodes = await buildFeatureGraph(requested, sourceOf(options.manifests));
  return orderFeatures(nodes, options.override?.map(classify)).map(({ userId, value }) => [userId, value]);
}

const idsOf = async (...args: Parameters<typeof orderOf>) => (await orderOf(...args)).map(([userId]) => userId);

describe("the install order", () => {
  test.each(orderFixtures.map((fixture) => [fixture.name, fixture] as const))("%s", async (_, fixture) => {
    const { features, manifests, override = [] } = fixture;
    expect<unknown>(await orderOf(features, { manifests, override })).toEqual(fixture.order);
  });

  test("does not depend on the order in devcontainer.json", async () => {
    for (const { features, manifests, override = [], order } of orderFixtures) {
      const shuffled = Object.fromEntries(Object.entries(features).reverse());
      expect<unknown>(await orderOf(shuffled, { manifests, override })).toEqual(order);
    }
  });

  test("a name that an installed Feature gives itself satisfies installsAfter and override", async () => {
    const manifests = { a: { installsAfter: ["ghcr.io/fx/al/zold"] }, znew: { legacyIds: ["zold"] } };
    const features = { "./a": {}, "ghcr.io/fx/al/znew:2": {} };
    expect(await idsOf(features, { manifests })).toEqual(["ghcr.io/fx/al/znew:2", "./a"]);
    const override = { manifests: { ...manifests, a: {} }, override: ["ghcr.io/fx/al/zold:1"] };
    expect(await idsOf(features, override)).toEqual(["ghcr.io/fx/al/znew:2", "./a"]);
  });

  test("a Feature named twice in different ways is installed once, under its first name", async () => {
    expect(
      await idsOf({ "./a": {}, "./x/../a": {}, "./b": {} }, { manifests: { b: { dependsOn: { "./a": {} } } } }),
    ).toEqual(["./a", "./b"]);
  });

  test("one of two copies is enough for installsAfter", async () => {
    const manifests = {
      a: { installsAfter: ["./c"] },
      b: { dependsOn: { "./a": {}, "./c": "x" } },
      c: {},
      d: { dependsOn: { "./b": {} } },
    };
    expect(await orderOf({ "./c": {}, "./d": {} }, { manifests })).toEqual([
      ["./c", {}],
      ["./c", "x"],
      ["./a", {}],
      ["./b", {}],
      ["./d", {}],
    ]);
  });

  test("a Feature that installs after itself waits for nothing", async () => {
    expect(await idsOf({ "./a": {}, "./x/../a": "2" }, { manifests: { a: { installsAfter: ["./a"] } } })).toHaveLength(
      2,
    );
  });
});

describe("a circle", () => {
  test.each([
    [
      "dependsOn",
      { a: { dependsOn: { "./b": {} } }, b: { dependsOn: { "./c": {} } }, c: { dependsOn: { "./b": {} } } },
      "./b → ./c → ./b",
    ],
    [
      "installsAfter",
      { a: { installsAfter: ["./b"] }, b: { installsAfter: ["./c"] }, c: { installsAfter: ["./a"] } },
      "./a → ./b → ./c → ./a",
    ],
    ["both", { a: { dependsOn: { "./b": {} } }, b: { installsAfter: ["./a"] } }, "./a → ./b → ./a"],
  ])("of %s is an error that names it", async (_, manifests, cycle) => {
    const features = { "./a": {}, "./b": {}, "./c": {} };
    await expect(orderOf(features, { manifests })).rejects.toThrow(
      `Failed to compute Feature installation order! Circular dependency: ${cycle}.`,
    );
  });
});

describe("the graph", () => {
  test("asks for each description once", async () => {
    const loaded: string[] = [];
    const manifests = { a: { dependsOn: { "./c": {} } }, b: { dependsOn: { "./c": "1" } } };
    await buildFeatureGraph(
      ["./a", "./b"].map((userId) => ({ userId, value: {} })),
      sourceOf(manifests, { loaded }),
    );
    expect(loaded).toEqual(["./a", "./b", "./c"]);
  });

  test("never asks for what is only in installsAfter", async () => {
    const loaded: string[] = [];
    const manifests = { a: { installsAfter: ["ghcr.io/devcontainers/features/common-utils"] } };
    await buildFeatureGraph([{ userId: "./a", value: {} }], sourceOf(manifests, { loaded }));
    expect(loaded).toEqual(["./a"]);
  });

  test("asks for dependencies while an earlier Feature has not arrived", async () => {
    const manifests = { b: { dependsOn: { "./c": {} } } };
    const arrived = Promise.withResolvers<void>();
    const source = sourceOf(manifests);
    const load = async (userId: string) => {
      if (userId === "./c") arrived.resolve();
      if (userId === "./a") await arrived.promise;
      return source.load(userId);
    };
    const nodes = await buildFeatureGraph(
      ["./a", "./b"].map((userId) => ({ userId, value: {} })),
      { classify, load },
    );
    expect(nodes.map(({ userId }) => userId)).toEqual(["./a", "./b", "./c"]);
  });

  test("reports the first Feature that fails, in the order of the configuration", async () => {
    const load = async (userId: string): Promise<LoadedFeature> => {
      if (userId === "./a") await Promise.resolve();
      throw new Error(`no ${userId}`);
    };
    const requested = ["./a", "./b"].map((userId) => ({ userId, value: {} }));
    await expect(buildFeatureGraph(requested, { classify, load })).rejects.toThrow("no ./a");
  });

  test("says which Feature has an installsAfter that means nothing", async () => {
    const manifests = { a: { installsAfter: ["nope"] } };
    await expect(idsOf({ "./a": {} }, { manifests })).rejects.toThrow(
      "installsAfter dependency 'nope' of Feature './a' could not be processed: Legacy feature 'nope' not supported.",
    );
  });
});
