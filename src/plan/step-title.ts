import type { LayerStep } from "./build-plan.ts";

/** What a step does, in a few words. */
export function stepTitle(step: LayerStep): string {
  switch (step.kind) {
    case "feature":
      return `Feature ${step.name ?? step.id}${step.version === null ? "" : ` ${step.version}`}`;
    case "user-ids":
      return `the ids of ${step.user}`;
    case "packages":
      return `packages ${step.packages.join(" ")}`;
    case "run":
    case "copy":
      return step.title;
    case "context":
      return `the build context, to ${step.target}`;
  }
}
