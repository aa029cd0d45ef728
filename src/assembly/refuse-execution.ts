import { UserError } from "../errors.ts";
import type { BuildPlan, BuildStep, ImageSource } from "../plan/build-plan.ts";

/** The image that a plan extends without running anything. Throws a UserError that names what has to run in a container when something has. */
export function refuseExecution(plan: BuildPlan): ImageSource {
  const { source } = plan;
  if (source.kind !== "image") throw needsEngine("its Dockerfile");
  for (const step of plan.steps) refuseStep(step);
  return source;
}

function refuseStep(step: BuildStep): void {
  switch (step.kind) {
    case "feature":
      throw needsEngine(`the Feature ${step.reference}`);
    case "user-ids":
      throw needsEngine("the step that gives the remote user your ids");
    case "packages":
      throw needsEngine(`${step.manager}, which installs ${step.packages.join(", ")},`);
    case "run":
      throw needsEngine(step.title);
    case "copy":
    case "context":
    case "env":
    case "config":
    case "metadata":
    case "label":
      return;
  }
}

function needsEngine(what: string): UserError {
  return new UserError(`--backend assemble runs nothing, and ${what} has to run in a container.`, {
    hint: "Build with Docker or Podman (--backend engine), or on Linux with cooper's own engine (--backend native).",
  });
}
