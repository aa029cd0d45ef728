import { UserError } from "../errors.ts";
import type { Engine } from "../runtime/engine.ts";
import { type EngineWishes, findEngines, installedEngines, isEngineNamed } from "../runtime/find-engine.ts";
import { noEngine } from "../runtime/no-engine.ts";
import type { BuildRequest } from "./build-request.ts";
import { findSandboxMeans } from "./find-sandbox-means.ts";
import { openNativeEngine } from "./native-engine.ts";
import type { Tools } from "./tools.ts";
import { readUserSettings } from "./user-settings.ts";

/** The engines to try for this run, best first: `dockerPath` is the command line's choice. */
export function engineCandidates(dockerPath: string | undefined, tools: Tools): readonly [Engine, ...Engine[]] {
  return findEngines(engineWishes(dockerPath, tools), tools.runProcess);
}

function engineWishes(dockerPath: string | undefined, tools: Tools): EngineWishes {
  return {
    flag: dockerPath,
    environment: tools.environment,
    configured: () => readUserSettings(tools).dockerPath,
  };
}

/** The engines to try for a backend, best first. Throws UserError when there is none. */
export function backendEngines(
  { backend = "engine", dockerPath }: Pick<BuildRequest, "backend" | "dockerPath">,
  tools: Tools,
): readonly [Engine, ...Engine[]] {
  switch (backend) {
    case "engine":
      return engineCandidates(dockerPath, tools);
    case "assemble":
      return [noEngine];
    case "native":
      return [openNativeEngine(tools)];
    case "auto":
      return anyEngines(dockerPath, tools);
  }
}

/**
 * As `engineCandidates`, and last cooper's own engine, where the user named no other and this machine can have it. Throws UserError when
 * there is none at all.
 */
function anyEngines(dockerPath: string | undefined, tools: Tools): readonly [Engine, ...Engine[]] {
  const wishes = engineWishes(dockerPath, tools);
  const installed = installedEngines(wishes, tools.runProcess);
  if (isEngineNamed(wishes)) return findEngines(wishes, tools.runProcess);
  try {
    findSandboxMeans(tools);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [first, ...others] = installed;
    if (first !== undefined) return [first, ...others];
    throw new UserError(`No container engine was found: neither docker nor podman is on PATH. ${error.message}`, {
      hint: `Install docker or podman, or do for cooper's own engine: ${error.hint ?? ""}`,
    });
  }
  const native = openNativeEngine(tools);
  const [first, ...others] = installed;
  return first === undefined ? [native] : [first, ...others, native];
}
