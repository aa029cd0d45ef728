import { expect, test } from "bun:test";
import { planSettings } from "../../src/assembly/plan-settings.ts";
import { refuseExecution } from "../../src/assembly/refuse-execution.ts";
import type { BuildPlan, BuildStep } from "../../src/plan/build-plan.ts";

function planOf(steps: readonly BuildStep[]): BuildPlan {
  const base = { reference: "docker.io/library/debian:12", digest: "sha256:1", platform: "linux/amd64" };
  const users = { image: "root", container: "root", remote: "root" };
  return { version: 1, source: { kind: "image", base }, platforms: [], users, steps };
}

const feature: BuildStep = {
  kind: "feature",
  folder: "color_0",
  reference: "ghcr.io/acme/color:1",
  digest: "sha256:2",
  id: "color",
  name: null,
  description: null,
  version: null,
  documentationUrl: null,
  warnings: [],
  options: [],
  containerEnv: {},
};

test("steps in which nothing runs become variables and labels, and the plan's hash a label", () => {
  const plan = planOf([
    { kind: "env", variables: { A: "1", B: '"$x"' } },
    { kind: "metadata", entries: [{ id: "a" }, { remoteUser: "x" }] },
    { kind: "label", labels: { mine: "a b" } },
  ]);
  expect(planSettings(plan, { planHash: "hash", baseEnv: {} })).toMatchObject({
    env: ["A=1", 'B="$x"'],
    labels: {
      "devcontainer.metadata": '[ {"id":"a"}, {"remoteUser":"x"} ]',
      mine: "a b",
      "dev.cooper.plan": "hash",
    },
    user: undefined,
  });
});

test("a step that runs in a container is refused by name", () => {
  expect(() => refuseExecution(planOf([feature]))).toThrow(
    "--backend assemble runs nothing, and the Feature ghcr.io/acme/color:1 has to run in a container.",
  );
  const ids: BuildStep = { kind: "user-ids", user: "dev", uid: 1000, gid: 1000 };
  expect(() => refuseExecution(planOf([ids]))).toThrow("your ids has to run in a container");
});
