import { reachEngine } from "../runtime/find-engine.ts";
import { createClientProfileEngine } from "./client-profile-engine.ts";
import { engineCandidates } from "./open-engine.ts";
import type { OpenedProfileEngine } from "./profile-engine.ts";
import type { Tools } from "./tools.ts";

/** Which engine profiles are built and run on. */
export interface ProfileEngineWishes {
  readonly dockerPath: string | undefined;
  readonly buildkit: "auto" | "never";
}

/** The engine for profiles, and in the same breath which of these images it has. */
export async function openProfileEngine(
  references: readonly string[],
  { dockerPath, buildkit }: ProfileEngineWishes,
  tools: Tools,
): Promise<OpenedProfileEngine> {
  const candidates = engineCandidates(dockerPath, tools);
  const { engine, answer } = await reachEngine(candidates, (candidate) => candidate.inspectImages(references));
  return { engine: createClientProfileEngine({ engine, images: answer, buildkit }, tools), images: answer };
}
