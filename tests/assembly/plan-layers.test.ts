import { expect, test } from "bun:test";
import { planLayers, stepVariables } from "../../src/assembly/plan-layers.ts";
import { planSettings } from "../../src/assembly/plan-settings.ts";
import type { BuildPlan, BuildStep, FeatureStep } from "../../src/plan/build-plan.ts";

function planOf(steps: readonly BuildStep[]): BuildPlan {
  const base = { reference: "debian:12", digest: "sha256:1", platform: "linux/amd64" };
  const users = { image: "root", container: "root", remote: "root" };
  return { version: 1, source: { kind: "image", base }, platforms: [], users, steps };
}

function feature(folder: string, containerEnv: Record<string, string>): FeatureStep {
  const told = { name: null, description: null, version: null, documentationUrl: null, warnings: [], options: [] };
  return { kind: "feature", folder, reference: `./${folder}`, digest: "sha256:2", id: folder, ...told, containerEnv };
}

const bare = { env: { PATH: "/bin", HOME_PAGE: "a" }, workingDirectory: "" };

test("each step that makes a layer has the variables that are in force where it stands", () => {
  const steps = planLayers(
    planOf([
      feature("go", { GOROOT: "/go", PATH: "/go/bin:${PATH}" }),
      { kind: "env", variables: { LATER: "$PATH" } },
      { kind: "config", workingDirectory: "/workspace" },
      { kind: "run", title: "x", command: "x" },
    ]),
    bare,
  );
  expect(steps).toEqual([
    {
      step: expect.objectContaining({ folder: "go" }),
      env: { PATH: "/go/bin:/bin", HOME_PAGE: "a", GOROOT: "/go" },
      workingDirectory: "",
    },
    {
      step: { kind: "run", title: "x", command: "x" },
      env: { PATH: "/go/bin:/bin", HOME_PAGE: "a", GOROOT: "/go", LATER: "$PATH" },
      workingDirectory: "/workspace",
    },
  ]);
});

test("a Feature's variables are expanded as a Dockerfile's ENV, quotes and backslashes literal", () => {
  const step = feature("a", { A: 'x"$HOME_PAGE"\\y', B: "${MISSING:-d}", C: "$A" });
  expect(stepVariables(step, bare.env)).toEqual({ A: 'x"a"\\y', B: "d", C: 'x"a"\\y' });
});

test("the image's variables are those that its last step sees", () => {
  const plan = planOf([feature("go", { PATH: "/go/bin:$PATH" }), feature("rust", { PATH: "/rust/bin:$PATH" })]);
  expect(planSettings(plan, { planHash: "h", baseEnv: bare.env }).env).toEqual(["PATH=/rust/bin:/go/bin:/bin"]);
});

test("a name that no variable can have is refused with its owner", () => {
  expect(() => planLayers(planOf([feature("a", { "A B": "1" })]), bare)).toThrow(
    "\"A B\" in containerEnv of Feature './a' is not a valid name",
  );
});
