import type { ContainerSpec } from "../plan/container-spec.ts";
import { type ContainerImage, type ContainerPlanInput, planContainer } from "../plan/plan-container.ts";
import type { ComposeService } from "./compose-model.ts";

/** What the container of a Compose service is planned from. */
export interface ServicePlanInput extends Omit<ContainerPlanInput, "config" | "workspace"> {
  readonly service: ComposeService;
}

/** The dev container of a Compose configuration: what the service itself says stays with it, and its files mount the workspace. */
export function planServiceContainer(input: ServicePlanInput): ContainerSpec {
  const { service, merged, metadata } = input;
  const spec = planContainer({
    ...input,
    config: {},
    workspace: { workspaceMount: undefined, additionalMount: undefined },
    merged: { ...merged, containerUser: merged.containerUser ?? (service.user || undefined) },
  });
  return {
    ...spec,
    command: merged.overrideCommand === true ? [] : serviceCommand(service, input.image),
    // Written although there is nothing to say: who reads it need not look elsewhere.
    metadataLabel: metadata === undefined ? undefined : JSON.stringify(metadata),
  };
}

/** What a service runs by itself: an entrypoint of its own leaves the image's command out. */
function serviceCommand(service: ComposeService, image: ContainerImage): readonly string[] {
  const ownEntrypoint = service.entrypoint ?? undefined;
  const command = service.command ?? (ownEntrypoint === undefined ? image.command : []);
  return [...(ownEntrypoint ?? image.entrypoint), ...command];
}
