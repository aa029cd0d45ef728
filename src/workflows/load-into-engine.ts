import { reachEngine } from "../runtime/find-engine.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/**
 * Puts an image archive into the store of the engine that is found; throws a UserError with the end of what the engine
 * said when it refuses it.
 */
export async function loadIntoEngine(
  archive: string,
  { dockerPath }: { dockerPath: string | undefined },
  tools: Tools,
): Promise<void> {
  const candidates = engineCandidates(dockerPath, tools);
  const { engine } = await reachEngine(candidates, (candidate) => candidate.inspectImages([]));
  await engine.run({ file: engine.path, args: ["load", "--input", archive], env: {} }, { onOutput: tools.log.raw });
}
