import type { FeatureStep } from "../plan/build-plan.ts";
import type { BuildLogEvent } from "./build-log.ts";

/** One step of a running build, as the builder tells of it. */
export interface BuildStepState {
  readonly title: string;
  /** Whether it is the builder's own housekeeping rather than a step of the Dockerfile. */
  readonly internal: boolean;
  /** The Feature that the step installs, if it does. */
  readonly feature: FeatureStep | undefined;
  readonly status: "running" | "done" | "cached" | "failed";
  /** The last lines it printed. */
  readonly tail: readonly string[];
}

/** The steps of a build by key, in the order they began. */
export type BuildSteps = ReadonlyMap<string, BuildStepState>;

const HOUSEKEEPING = /^\[(?:internal|auth|context )|^(?:building with|exporting|importing|resolving) /;
const TAIL_LINES = 20;

/** The steps after one more event; `features` are those of the plan that is built. */
export function advanceSteps(steps: BuildSteps, event: BuildLogEvent, features: readonly FeatureStep[]): BuildSteps {
  const next = new Map(steps);
  switch (event.kind) {
    case "step": {
      const feature = features.find((candidate) => installs(event.title, candidate));
      next.set(event.key, {
        title: titleOf(event.title, feature),
        feature,
        internal: HOUSEKEEPING.test(event.title),
        status: "running",
        tail: [],
      });
      return next;
    }
    case "output": {
      const state = steps.get(event.key);
      if (state !== undefined)
        next.set(event.key, { ...state, tail: [...state.tail, Bun.stripANSI(event.text)].slice(-TAIL_LINES) });
      return next;
    }
    case "done":
    case "failed": {
      const state = steps.get(event.key);
      const status = event.kind === "failed" ? "failed" : event.cached ? "cached" : "done";
      if (state !== undefined) next.set(event.key, { ...state, status });
      return next;
    }
    case "other":
      return steps;
  }
}

/** The step that a failed build stopped at: the one that failed and said most, else the last that still ran. */
export function failedStep(steps: BuildSteps): BuildStepState | undefined {
  const states = [...steps.values()];
  const failed = states.filter((state) => state.status === "failed");
  return (
    failed.findLast((state) => state.tail.length > 0) ??
    failed.at(-1) ??
    states.findLast((state) => state.status === "running" && !state.internal)
  );
}

function installs(title: string, feature: FeatureStep): boolean {
  return title.includes(`/tmp/dev-container-features/${feature.folder} `) && /(?:^|\] )RUN /.test(title);
}

function titleOf(title: string, feature: FeatureStep | undefined): string {
  if (feature !== undefined)
    return `Feature ${feature.name ?? feature.id}${feature.version === null ? "" : ` ${feature.version}`}`;
  return title
    .replace(/^\[(?:internal|auth)\] /, "")
    .replace(/\bdev_containers_target_stage\b ?/, "")
    .replace(/ +/g, " ");
}
