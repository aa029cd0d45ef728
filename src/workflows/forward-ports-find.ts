import { type ForwardedPort, forwardedPorts } from "../devcontainer/forwarded-ports.ts";
import { mergeMetadata } from "../devcontainer/merge.ts";
import { configMetadataEntry } from "../devcontainer/metadata-label.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import { createEngine, type Engine } from "../runtime/engine.ts";
import { readContainerMetadata } from "./container-metadata.ts";
import { containerNotFound, inspectContainers } from "./find-container.ts";
import { type ContainerTarget, locateRunningContainer, refuseUnlessRunning } from "./locate-running-container.ts";
import type { Tools } from "./tools.ts";

/** A running container and the ports that are configured for it. */
export interface ContainerPorts {
  readonly engine: Engine;
  readonly container: ContainerDetails;
  readonly ports: readonly ForwardedPort[];
}

/**
 * Finds the running container that is meant and its ports: those that it was made with, and those that the configuration has by now.
 * Throws UserError when there is no such container.
 */
export async function findContainerPorts(target: ContainerTarget, tools: Tools): Promise<ContainerPorts> {
  const { known, idLabels, configuration } = await locateRunningContainer(target, tools);
  const engine = createEngine(known.enginePath, tools.runProcess);
  const [container] = await inspectContainers(engine, [known.container.id]);
  if (container === undefined) throw containerNotFound(`The container ${known.container.name} is gone.`);
  refuseUnlessRunning(container);
  const { entries } = readContainerMetadata(container, { configuration, idLabels }, tools);
  const current = configuration === undefined ? undefined : configMetadataEntry(configuration.substitutedConfig);
  const merged = mergeMetadata([...entries, ...(current === undefined ? [] : [current])]);
  return { engine, container, ports: forwardedPorts(merged) };
}
