import { expect, test } from "bun:test";
import type { BuildPlan } from "../../src/plan/build-plan.ts";
import { deriveTag, hashPlan, slugOf } from "../../src/plan/plan-hash.ts";

const PLAN: BuildPlan = {
  version: 1,
  source: { kind: "image", base: { reference: "debian", digest: "sha256:aa", platform: "linux/amd64" } },
  platforms: [],
  users: { image: "root", container: "root", remote: "root" },
  steps: [
    { kind: "label", labels: { a: "1", b: "2" } },
    { kind: "env", variables: { X: "1", Y: "2" } },
  ],
};

test("the hash does not depend on the order in which keys were written", () => {
  const shuffled: BuildPlan = {
    steps: [
      { labels: { b: "2", a: "1" }, kind: "label" },
      { variables: { Y: "2", X: "1" }, kind: "env" },
    ],
    users: { remote: "root", image: "root", container: "root" },
    platforms: [],
    source: { base: { platform: "linux/amd64", digest: "sha256:aa", reference: "debian" }, kind: "image" },
    version: 1,
  };
  expect(hashPlan(shuffled)).toBe(hashPlan(PLAN));
});

test("the hash is stable across releases: a change of it rebuilds everybody's images", () => {
  expect(hashPlan(PLAN)).toBe("e90e5f12153fe047be7607d5489febe65896376d78ce93784a984b4f6500fe42");
});

test("everything in a plan counts", () => {
  const changed: BuildPlan[] = [
    { ...PLAN, platforms: ["linux/arm64"] },
    { ...PLAN, users: { ...PLAN.users, remote: "vscode" } },
    { ...PLAN, steps: PLAN.steps.toReversed() },
    { ...PLAN, source: { kind: "image", base: { reference: "debian", digest: "sha256:bb", platform: "linux/amd64" } } },
  ];
  expect(new Set([PLAN, ...changed].map(hashPlan)).size).toBe(5);
});

test("a derived tag is local, and a valid reference whatever the folder is called", () => {
  expect(deriveTag("My Project", "0123456789abcdef")).toBe("localhost/cooper/my-project:0123456789ab");
  for (const [name, slug] of [
    ["..", "workspace"],
    ["Ünï", "n"],
    ["a__b..c--d", "a-b-c-d"],
    ["-x-", "x"],
    ["a.b_c-d", "a.b_c-d"],
    ["日本", "workspace"],
  ] as const) {
    expect(slugOf(name)).toBe(slug);
  }
});
