import { expect, test } from "bun:test";
import type { PlannedLayer } from "../../src/assembly/plan-layers.ts";
import { type StepSurroundings, stepKey } from "../../src/assembly/step-key.ts";
import type { FeatureStep, LayerStep } from "../../src/plan/build-plan.ts";

const around: StepSurroundings = {
  parent: `sha256:${"a".repeat(64)}`,
  users: { image: "root", container: "root", remote: "dev" },
  platform: "linux/amd64",
  network: "host",
  epoch: 0,
};

const feature: FeatureStep = {
  kind: "feature",
  folder: "color_0",
  reference: "./color",
  digest: `sha256:${"b".repeat(64)}`,
  id: "color",
  name: "Color",
  description: null,
  version: "1.0.0",
  documentationUrl: null,
  warnings: [],
  options: [["FAVORITE", "red"]],
  containerEnv: { COLOR: "1" },
};

const at = (step: LayerStep, env: Record<string, string> = { PATH: "/bin" }): PlannedLayer => ({
  step,
  env,
  workingDirectory: "/",
});

test("a key is the same whatever the order of members, and 64 hex digits", () => {
  const shuffled = at({ ...feature, containerEnv: { COLOR: "1" } }, { B: "2", A: "1" });
  expect(stepKey(at(feature, { A: "1", B: "2" }), around)).toBe(stepKey(shuffled, around));
  expect(stepKey(at(feature), around)).toMatch(/^[0-9a-f]{64}$/);
});

test("a key changes with everything that the layer depends on", () => {
  const keys = [
    stepKey(at(feature), around),
    stepKey(at({ ...feature, digest: `sha256:${"c".repeat(64)}` }), around),
    stepKey(at({ ...feature, options: [["FAVORITE", "blue"]] }), around),
    stepKey(at({ ...feature, folder: "color_1" }), around),
    stepKey(at(feature, { PATH: "/usr/bin" }), around),
    stepKey({ ...at(feature), workingDirectory: "/src" }, around),
    stepKey(at(feature), { ...around, parent: undefined }),
    stepKey(at(feature), { ...around, users: { ...around.users, remote: "root" } }),
    stepKey(at(feature), { ...around, platform: "linux/arm64" }),
    stepKey(at(feature), { ...around, network: "none" }),
    stepKey(at(feature), { ...around, epoch: 1 }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("what a step does not see does not change its key", () => {
  const copy: LayerStep = { kind: "context", digest: "sha256:1", target: "/workspace" };
  expect(stepKey(at(copy), around)).toBe(stepKey(at(copy, { PATH: "/usr/bin" }), around));
  const run: LayerStep = { kind: "run", title: "a", command: "true" };
  const users = { ...around.users, remote: "root" };
  expect(stepKey(at(run), around)).toBe(stepKey(at({ ...run, title: "b" }), { ...around, users }));
});
