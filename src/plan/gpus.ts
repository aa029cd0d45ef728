import type { HostRequirements } from "../devcontainer/schema.ts";

/** `--gpu-availability`: whether the host has GPUs, or the engine is to be asked. */
export type GpuAvailability = "all" | "detect" | "none";

type Requirement = HostRequirements["gpu"];

/** Whether the engine has to be asked which runtimes it has. */
export function asksForGpus(requirement: Requirement, availability: GpuAvailability): boolean {
  return Boolean(requirement) && availability === "detect";
}

/**
 * Whether GPUs are handed to the container; `runtimes` is what the engine answered when asked. `missing` is the warning for a
 * requirement that is not met and not optional.
 */
export function decideGpus(
  requirement: Requirement,
  answer: { readonly availability: GpuAvailability; readonly runtimes: string | undefined },
): { readonly gpus: boolean; readonly missing: string | undefined } {
  if (!requirement) return { gpus: false, missing: undefined };
  const gpus =
    answer.availability === "all" ||
    (answer.availability === "detect" && answer.runtimes?.includes("nvidia-container-runtime") === true);
  return { gpus, missing: gpus || requirement === "optional" ? undefined : MISSING };
}

const MISSING =
  "devcontainer.json requires a GPU (hostRequirements.gpu), and none was found: the container starts without. If there is one, use --gpu-availability all.";
