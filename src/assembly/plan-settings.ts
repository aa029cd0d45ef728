import { UserError } from "../errors.ts";
import {
  type BuildPlan,
  type BuildStep,
  type ConfigStep,
  type ImageSource,
  stepMakesLayer,
} from "../plan/build-plan.ts";
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
  for (const step of plan.steps) refuseExecuting(step);
  const env = plan.steps.flatMap((step) => (step.kind === "env" ? Object.entries(step.variables) : []));
  const labels = plan.steps.flatMap(labelsOf);
  const config = configOf(plan);
  return {
    source,
    settings: {
      env: env.map(([name, value]) => `${name}=${value}`),
      labels: Object.fromEntries([...labels, [PLAN_LABEL, planHash] as const]),
      entrypoint: config.entrypoint,
      command: config.command,
      workingDirectory: config.workingDirectory,
      // As the Dockerfile's last USER, which is there to end root's.
      user: plan.steps.some(stepMakesLayer) ? plan.users.image : undefined,
      exposedPorts: [],
    },
  };
}

/** What the config steps come to: as in a Dockerfile, a later entrypoint takes an earlier command away. */
function configOf(plan: BuildPlan): Omit<ConfigStep, "kind"> {
  let config: Omit<ConfigStep, "kind"> = {};
  for (const step of plan.steps) {
    if (step.kind !== "config") continue;
    const { entrypoint, command, workingDirectory = config.workingDirectory } = step;
    const before = entrypoint === undefined ? config : {};
    config = { ...before, ...(entrypoint && { entrypoint }), ...(command && { command }) };
    if (workingDirectory !== undefined) config = { ...config, workingDirectory };
  }
  return config;
}

function labelsOf(step: BuildStep): (readonly [name: string, value: string])[] {
  switch (step.kind) {
    case "feature":
    case "user-ids":
    case "packages":
    case "run":
    case "copy":
    case "context":
    case "env":
    case "config":
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

function refuseExecuting(step: BuildStep): void {
  switch (step.kind) {
    case "feature":
      throw needsEngine(`the Feature ${step.reference}`);
    case "user-ids":
      throw needsEngine("the step that gives the remote user your ids");
    case "packages":
      throw needsEngine(`${step.manager}, which installs ${step.packages.join(", ")},`);
    case "run":
      throw needsEngine(step.title);
    case "context":
      throw needsEngine("what copies the build context");
    case "copy":
    case "env":
    case "config":
    case "metadata":
    case "label":
      return;
  }
}

function needsEngine(what: string): UserError {
  return new UserError(`--backend assemble builds without an engine, and ${what} has to run in a container.`, {
    hint: "Leave --backend away to build with Docker or Podman.",
  });
}
