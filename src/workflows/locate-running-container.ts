import { type IdLabels, workspaceIdLabels } from "../devcontainer/identity.ts";
import { UserError } from "../errors.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { type KnownContainer, knowContainer, knowIfAlive } from "./container-session.ts";
import {
  type ContainerWish,
  carriesLabels,
  containerNotFound,
  type FoundContainer,
  findContainer,
  labelsThatCount,
} from "./find-container.ts";
import { type ConfigurationPlace, type LoadedConfiguration, loadConfiguration } from "./load-configuration.ts";
import { engineCandidates } from "./open-engine.ts";
import { recallByLabels, recallContainer } from "./session-cache.ts";
import type { Tools } from "./tools.ts";

/** Which container a command is about, as the command line has it; paths absolute. */
export interface ContainerTarget extends Omit<ConfigurationPlace, "workspaceFolder"> {
  readonly workspaceFolder: string | undefined;
  readonly containerId: string | undefined;
  /** Empty where none are given. */
  readonly idLabels: IdLabels;
  readonly dockerPath: string | undefined;
}

/** A running container, and the configuration that goes with it, if there is one at hand. */
export interface LocatedContainer {
  readonly known: KnownContainer;
  readonly idLabels: IdLabels;
  readonly configuration: LoadedConfiguration | undefined;
}

/**
 * Finds the running container that is meant, without a question to the engine when it is known and its main process still runs.
 * Throws UserError when there is none, when it does not run, and for a wrong or missing configuration.
 */
export async function locateRunningContainer(target: ContainerTarget, tools: Tools): Promise<LocatedContainer> {
  const configuration = configurationOf(target, tools);
  const wish = containerWish(target, configuration);
  const engines = engineCandidates(target.dockerPath, tools);
  for (const { path } of engines) {
    const recalled = recall(wish, path, tools);
    if (recalled !== undefined) return { ...recalled, configuration };
  }
  const { engine, answer } = await reachEngine(engines, (candidate) => findContainer(candidate, wish));
  const { details, idLabels } = answer;
  if (details === undefined) throw containerNotFound(whereLooked(wish));
  refuseUnlessRunning(details);
  return { known: knowContainer(engine.path, { details, idLabels }, tools), idLabels, configuration };
}

/** Which container a target means, given the configuration that it leads to. */
export function containerWish(target: ContainerTarget, configuration: LoadedConfiguration | undefined): ContainerWish {
  const { containerId, workspaceFolder, idLabels } = target;
  const given = Object.keys(idLabels).length > 0;
  const ofWorkspace =
    workspaceFolder === undefined || configuration === undefined
      ? undefined
      : workspaceIdLabels({
          workspaceFolder: configuration.workspaceFolder,
          configFile: configuration.configPath,
          platform: process.platform,
        });
  const labels = given ? { current: idLabels, legacy: idLabels } : ofWorkspace;
  if (containerId !== undefined) return { kind: "id", containerId, labels };
  if (given) return { kind: "labels", labels: idLabels };
  if (labels !== undefined) return { kind: "workspace", labels };
  throw new UserError("Either containerId or workspaceFolder and configFile must be provided.", {
    hint: "Name the project with --workspace-folder, or its container with --container-id or --id-label.",
  });
}

/** Throws UserError for a container in which nothing can be run. */
export function refuseUnlessRunning(container: NonNullable<FoundContainer["details"]>): void {
  if (container.status === "running") return;
  throw new UserError(`The dev container ${container.name} is not running: it is ${container.status}.`, {
    hint: "Start it again with cooper up.",
  });
}

function configurationOf(target: ContainerTarget, tools: Tools): LoadedConfiguration | undefined {
  const { workspaceFolder, configPath, overrideConfigPath } = target;
  if (workspaceFolder === undefined && configPath === undefined && overrideConfigPath === undefined) return undefined;
  // Whoever works in a container was told what is odd about its configuration when it was made.
  const log = { ...tools.log, warning: tools.log.debug };
  return loadConfiguration(target, { environment: tools.environment, log });
}

function recall(
  wish: ContainerWish,
  enginePath: string,
  tools: Tools,
): Omit<LocatedContainer, "configuration"> | undefined {
  const remembered = wish.kind === "id" ? recallById(wish.containerId, tools) : recallLabelled(wish, tools);
  const known = remembered === undefined ? undefined : knowIfAlive(enginePath, remembered, tools);
  if (known === undefined) return undefined;
  const idLabels = wish.kind === "labels" ? wish.labels : labelsThatCount(known.container, wish.labels);
  return wish.kind === "id" || carriesLabels(known.container, idLabels) ? { known, idLabels } : undefined;
}

function recallById(id: string, tools: Tools) {
  return /^[0-9a-f]{64}$/.test(id) ? recallContainer(id, tools) : undefined;
}

function recallLabelled(wish: Exclude<ContainerWish, { kind: "id" }>, tools: Tools) {
  if (wish.kind === "labels") return recallByLabels(wish.labels, tools);
  return recallByLabels(wish.labels.current, tools) ?? recallByLabels(wish.labels.legacy, tools);
}

function whereLooked(wish: ContainerWish): string {
  switch (wish.kind) {
    case "id":
      return `There is no container ${JSON.stringify(wish.containerId)}.`;
    case "labels":
      return `No container has the labels ${listed(wish.labels)}.`;
    case "workspace":
      return `No container has the labels ${listed(wish.labels.current)}.`;
  }
}

function listed(labels: IdLabels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
