import { expandWord } from "../dockerfile/parse-words.ts";
import { quoteExpandable, VARIABLE_NAME } from "../dockerfile/quote.ts";
import { UserError } from "../errors.ts";
import type { BuildPlan, BuildStep, LayerStep } from "../plan/build-plan.ts";

/** A layer that a plan wants, with the variables and the working directory that are in force where its step stands. */
export interface PlannedLayer {
  readonly step: LayerStep;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

/** What a base image's config says, as far as steps see it. */
export interface LayerSurroundings {
  readonly env: Readonly<Record<string, string>>;
  /** Empty for none. */
  readonly workingDirectory: string;
}

/** The layers of a plan on a base, in order. Throws UserError for a variable that cannot be set. */
export function planLayers(plan: BuildPlan, base: LayerSurroundings): readonly PlannedLayer[] {
  const env = { ...base.env };
  let { workingDirectory } = base;
  const layers: PlannedLayer[] = [];
  for (const step of plan.steps) {
    Object.assign(env, stepVariables(step, env));
    if (step.kind === "config") workingDirectory = step.workingDirectory ?? workingDirectory;
    const made = layerStep(step);
    if (made !== undefined) layers.push({ step: made, env: { ...env }, workingDirectory });
  }
  return layers;
}

/** The variables that a step sets in the image, where `before` are in force: a Feature's may refer to them as a Dockerfile's ENV may. */
export function stepVariables(step: BuildStep, before: Readonly<Record<string, string>>): Record<string, string> {
  switch (step.kind) {
    case "feature": {
      const owner = `containerEnv of Feature '${step.reference}'`;
      const env: Record<string, string> = {};
      for (const [name, value] of Object.entries(step.containerEnv)) {
        const variables = (wanted: string) => env[wanted] ?? before[wanted];
        const written = quoteExpandable(value, `${name} in ${owner}`);
        env[checkedName(name, owner)] = expandWord(written, { escapeCharacter: "\\", where: owner, variables });
      }
      return env;
    }
    case "env":
      return Object.fromEntries(
        Object.entries(step.variables).map(([name, value]) => [checkedName(name, "containerEnv"), value]),
      );
    case "user-ids":
    case "packages":
    case "run":
    case "copy":
    case "context":
    case "config":
    case "metadata":
    case "label":
      return {};
  }
}

function layerStep(step: BuildStep): LayerStep | undefined {
  switch (step.kind) {
    case "feature":
    case "user-ids":
    case "packages":
    case "run":
    case "copy":
    case "context":
      return step;
    case "env":
    case "config":
    case "metadata":
    case "label":
      return undefined;
  }
}

function checkedName(name: string, where: string): string {
  if (VARIABLE_NAME.test(name)) return name;
  throw new UserError(`${JSON.stringify(name)} in ${where} is not a valid name of an environment variable.`, {
    hint: "Use letters, digits and underscores, not starting with a digit.",
  });
}
