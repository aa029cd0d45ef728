import { UserError } from "../errors.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import type { Backend } from "./build-request.ts";
import { createClientProfileEngine } from "./client-profile-engine.ts";
import { createNativeProfileEngine } from "./native-profile-engine.ts";
import { backendEngines } from "./open-engine.ts";
import type { OpenedProfileEngine } from "./profile-engine.ts";
import type { Tools } from "./tools.ts";

/** Which engine profiles are built and run on. */
export interface ProfileEngineWishes {
  readonly dockerPath: string | undefined;
  readonly buildkit: "auto" | "never";
  readonly backend?: Backend | undefined;
}

/** The engine for profiles, and in the same breath which of these images it has. */
export async function openProfileEngine(
  references: readonly string[],
  { dockerPath, buildkit, backend }: ProfileEngineWishes,
  tools: Tools,
): Promise<OpenedProfileEngine> {
  const candidates = backendEngines({ backend, dockerPath }, tools);
  const { engine, answer } = await reachEngine(candidates, (candidate) => candidate.inspectImages(references));
  switch (engine.kind) {
    case "client":
      return { engine: createClientProfileEngine({ engine, images: answer, buildkit }, tools), images: answer };
    case "native":
      return { engine: createNativeProfileEngine({ engine, images: answer }, tools), images: answer };
    case "none":
      throw new UserError("A profile's image is built by running its commands, which --backend assemble does not.", {
        hint: "Use --backend engine or native.",
      });
  }
}
