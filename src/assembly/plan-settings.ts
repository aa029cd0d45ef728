import { UserError } from "../errors.ts";
import { type BuildPlan, type BuildStep, type ImageSource, stepExecutes } from "../plan/build-plan.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import type { ImageSettings } from "./image-settings.ts";

/**
 * What a plan without executing steps changes of its base's config: the same as its rendered Dockerfile does. Throws a
 * UserError that names what has to run in a container when something has.
 */
export function planSettings(
  plan: BuildPlan,
  planHash: string,
): { readonly source: ImageSource; readonly settings: ImageSettings } {
  const { source } = plan;
  if (source.kind !== "image") throw needsEngine("its Dockerfile");
  const executing = plan.steps.find(stepExecutes);
  if (executing !== undefined) throw needsEngine(describeStep(executing));
  const env = plan.steps.flatMap((step) => (step.kind === "env" ? Object.entries(step.variables) : []));
  const labels = plan.steps.flatMap(labelsOf);
  return {
    source,
    settings: {
      env: env.map(([name, value]) => `${name}=${value}`),
      labels: Object.fromEntries([...labels, [PLAN_LABEL, planHash] as const]),
      entrypoint: undefined,
      command: undefined,
      workingDirectory: undefined,
      user: undefined,
      exposedPorts: [],
    },
  };
}

function labelsOf(step: BuildStep): (readonly [name: string, value: string])[] {
  switch (step.kind) {
    case "feature":
    case "user-ids":
    case "env":
      return [];
    case "label":
      return Object.entries(step.labels);
    case "metadata": {
      if (step.entries.length === 0) return [];
      // As the Dockerfile's lines come out, so that both ways give one image.
      const entries = step.entries.map((entry) => JSON.stringify(entry)).join(", ");
      return [["devcontainer.metadata", `[ ${entries} ]`]];
    }
  }
}

function describeStep(step: BuildStep): string {
  return step.kind === "feature" ? `the Feature ${step.reference}` : "the step that gives the remote user your ids";
}

function needsEngine(what: string): UserError {
  return new UserError(`--backend assemble builds without an engine, and ${what} has to run in a container.`, {
    hint: "Leave --backend away to build with Docker or Podman.",
  });
}
