import { canonicalJson, type JsonObject } from "../json.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageUsers, LayerStep } from "../plan/build-plan.ts";
import type { PlannedLayer } from "./plan-layers.ts";

/** Raised when a step would come out as another layer than before. */
const STEP_VERSION = 1;

/** What a step's layer depends on besides the step. */
export interface StepSurroundings {
  /** Of the layers below; undefined for none. */
  readonly parent: Digest | undefined;
  readonly users: ImageUsers;
  readonly platform: string;
  readonly network: "host" | "none";
  /** What the times of new files are, in seconds. */
  readonly epoch: number;
}

/** 64 hex digits: equal steps on equal layers have equal keys, whatever project and machine they are built for. */
export function stepKey({ step, env, workingDirectory }: PlannedLayer, around: StepSurroundings): string {
  const { parent, users, platform, network, epoch } = around;
  const key: JsonObject = {
    version: STEP_VERSION,
    parent: parent ?? null,
    platform,
    epoch,
    ...canonicalStep(step, users),
    // Copying sees nothing of these.
    ...(step.kind === "copy" || step.kind === "context" ? {} : { env: { ...env }, workingDirectory, network }),
  };
  return new Bun.CryptoHasher("sha256").update(canonicalJson(key)).digest("hex");
}

function canonicalStep(step: LayerStep, users: ImageUsers): JsonObject {
  switch (step.kind) {
    case "feature": {
      const { kind, folder, reference, digest, id, name, description, version, documentationUrl, warnings, options } =
        step;
      const told = { reference, id, name, description, version, documentationUrl, warnings: [...warnings] };
      const { container, remote } = users;
      return { kind, folder, digest, told, options: options.map((pair) => [...pair]), users: { container, remote } };
    }
    case "copy":
      return { kind: step.kind, entries: step.entries.map((entry) => ({ ...entry, content: { ...entry.content } })) };
    case "user-ids":
    case "context":
      return { ...step };
    case "packages":
      return { ...step, packages: [...step.packages] };
    case "run":
      return { kind: step.kind, command: step.command };
  }
}
