import { featureSteps } from "../plan/build-plan.ts";
import { explainBuildFailure } from "../runtime/build-failure.ts";
import { createBuildView } from "../runtime/build-view.ts";
import { createStepProgress } from "../runtime/step-progress.ts";
import type { DecidedBuild } from "./build-image.ts";
import { buildNatively } from "./build-natively.ts";
import { FailedStep } from "./native-steps.ts";
import type { Tools } from "./tools.ts";

const TAIL_CHARACTERS = 64 * 1024;

/** Builds with cooper's own engine, shown as any other build; a step that fails is explained as any other builder's. */
export async function showNativeBuild({ prepared, show }: DecidedBuild, tools: Tools): Promise<void> {
  const now = () => performance.now();
  const { terminal, log } = tools;
  const view = createBuildView(show.view, featureSteps(prepared.plan), { terminal, log, now });
  let output = "";
  const progress = createStepProgress((text) => {
    output = (output + text).slice(-TAIL_CHARACTERS);
    view.onOutput(text);
  }, now);
  try {
    await buildNatively(prepared, progress, tools);
  } catch (error) {
    if (!(error instanceof FailedStep)) throw error;
    throw explainBuildFailure(error.command, { exitCode: error.exitCode, output, steps: view.end() });
  } finally {
    view.end();
  }
}
