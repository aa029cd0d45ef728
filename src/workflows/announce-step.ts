import { messageOf } from "../errors.ts";
import type { RunningStep } from "../runtime/step-progress.ts";

/** Does a step's work, and tells how it ended. */
export async function announceStep<T>(step: RunningStep, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    step.done();
    return result;
  } catch (error) {
    step.failed(messageOf(error));
    throw error;
  }
}
