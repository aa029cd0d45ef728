import type { Engine } from "../runtime/engine.ts";
import { type EngineWishes, findEngines, installedEngines, isEngineNamed } from "../runtime/find-engine.ts";
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

/** As `engineCandidates`, and cooper's own engine where the user named no other and this machine can have it. */
export function anyEngines(dockerPath: string | undefined, tools: Tools): readonly [Engine, ...Engine[]] {
  const wishes = engineWishes(dockerPath, tools);
  if (isEngineNamed(wishes) || process.platform !== "linux") return findEngines(wishes, tools.runProcess);
  const native = openNativeEngine(tools);
  const [first, ...others] = installedEngines(wishes, tools.runProcess);
  return first === undefined ? [native] : [first, ...others, native];
}
