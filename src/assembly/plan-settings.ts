import { type BuildPlan, type BuildStep, type ConfigStep, stepMakesLayer } from "../plan/build-plan.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import type { ImageSettings } from "./image-settings.ts";
import { stepVariables } from "./plan-layers.ts";

/** What a plan changes of the config of its base, whose variables are `baseEnv`: the same as its rendered Dockerfile does. */
export function planSettings(
  plan: BuildPlan,
  { planHash, baseEnv }: { readonly planHash: string; readonly baseEnv: Readonly<Record<string, string>> },
): ImageSettings {
  let env: Record<string, string> = {};
  for (const step of plan.steps) env = { ...env, ...stepVariables(step, { ...baseEnv, ...env }) };
  const labels = plan.steps.flatMap(labelsOf);
  const config = configOf(plan);
  return {
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    labels: Object.fromEntries([...labels, [PLAN_LABEL, planHash] as const]),
    entrypoint: config.entrypoint,
    command: config.command,
    workingDirectory: config.workingDirectory,
    // As the Dockerfile's last USER, which is there to end root's.
    user: plan.steps.some(stepMakesLayer) ? plan.users.image : undefined,
    exposedPorts: [],
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
