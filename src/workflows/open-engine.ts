import type { Engine } from "../runtime/engine.ts";
import { findEngines } from "../runtime/find-engine.ts";
import type { Tools } from "./tools.ts";
import { readUserSettings } from "./user-settings.ts";

/** The engines to try for this run, best first: `dockerPath` is the command line's choice. */
export function engineCandidates(dockerPath: string | undefined, tools: Tools): readonly [Engine, ...Engine[]] {
  return findEngines(
    { flag: dockerPath, environment: tools.environment, configured: () => readUserSettings(tools).dockerPath },
    tools.runProcess,
  );
}
