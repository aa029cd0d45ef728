import type { BuildPlan } from "../plan/build-plan.ts";
import { hashPlan, PLAN_LABEL } from "../plan/plan-hash.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { PreparedBuild } from "./prepare-build.ts";

/** A plan that no devcontainer.json led to, as a build that is decided; `image` is what has its first tag already. */
export function plannedBuild(
  plan: BuildPlan,
  decided: Pick<PreparedBuild, "request" | "source" | "tags" | "copyFolders"> & {
    readonly image: LocalImage | undefined;
  },
): PreparedBuild {
  const { image, ...build } = decided;
  const planHash = hashPlan(plan);
  return {
    ...build,
    compose: undefined,
    plan,
    planHash,
    engine: build.source.engine,
    upToDate: image?.labels[PLAN_LABEL] === planHash,
    features: { features: [], lockfile: undefined },
  };
}
