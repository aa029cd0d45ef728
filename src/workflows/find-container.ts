import { configFileLabel, type IdLabels } from "../devcontainer/identity.ts";
import { UserError } from "../errors.ts";
import { type ContainerDetails, readContainerInspection } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { failedCommand, unreachableEngine, unreachableReason } from "../runtime/engine-failure.ts";
import { labelFilter } from "../runtime/label-filter.ts";

/** Which container is meant: the one with an id, those with labels, or a workspace's. */
export type ContainerWish =
  | { readonly kind: "id"; readonly containerId: string; readonly labels: WorkspaceLabels | undefined }
  | { readonly kind: "labels"; readonly labels: IdLabels }
  | { readonly kind: "workspace"; readonly labels: WorkspaceLabels };

/** The labels of a workspace's container, and those that it has when an old tool made it. */
export interface WorkspaceLabels {
  readonly current: IdLabels;
  readonly legacy: IdLabels;
}

/** What was found, and the labels that its identity is made of. */
export interface FoundContainer {
  readonly details: ContainerDetails | undefined;
  readonly idLabels: IdLabels;
}

/**
 * Looks for a container, running or not, with at most two questions to the engine. One without the label of a configuration file
 * is a workspace's when no other is. One that is being removed counts as gone. Throws UserError for an unknown id.
 */
export async function findContainer(engine: Engine, wish: ContainerWish): Promise<FoundContainer> {
  switch (wish.kind) {
    case "id": {
      const [details] = await inspectContainers(engine, [wish.containerId]);
      if (details === undefined) throw containerNotFound(`There is no container ${JSON.stringify(wish.containerId)}.`);
      return { details, idLabels: labelsThatCount(details, wish.labels) };
    }
    case "labels":
      return { details: (await containersLabelled(engine, wish.labels))[0], idLabels: wish.labels };
    case "workspace": {
      // Every container with the new labels has the old one too: one question for both.
      const found = await containersLabelled(engine, wish.labels.legacy);
      const details =
        found.find((candidate) => carriesLabels(candidate, wish.labels.current)) ??
        found.find((candidate) => candidate.labels[configFileLabel] === undefined);
      return { details, idLabels: labelsThatCount(details, wish.labels) };
    }
  }
}

/** The containers that carry all of the labels, newest first, without those that are being removed. */
export async function containersLabelled(engine: Engine, labels: IdLabels): Promise<readonly ContainerDetails[]> {
  const filters = Object.entries(labels).flatMap(([name, value]) => labelFilter(name, value));
  const args = ["ps", "-q", "-a", "--no-trunc", ...filters];
  const { exitCode, stdout, stderr } = await engine.ask(args);
  if (exitCode !== 0) throw engineFailure(engine, { args, exitCode, stderr });
  const ids = stdout.split("\n").filter((line) => line !== "");
  const found = ids.length === 0 ? [] : await inspectContainers(engine, ids);
  return found.filter((container) => container.status !== "removing" && carriesLabels(container, labels));
}

/** The containers of these ids or names that there are. */
export async function inspectContainers(engine: Engine, ids: readonly string[]): Promise<readonly ContainerDetails[]> {
  const refused = ids.find((id) => id === "" || id.startsWith("-"));
  if (refused !== undefined) throw new UserError(`${JSON.stringify(refused)} is not the id of a container.`);
  const args = ["inspect", "--type", "container", ...ids];
  const { exitCode, stdout, stderr } = await engine.ask(args);
  if (exitCode !== 0 && !/no such (?:container|object)|no container with/i.test(stderr)) {
    throw engineFailure(engine, { args, exitCode, stderr });
  }
  return readContainerInspection(stdout);
}

/** True when the container has every one of the labels, with these values. */
export function carriesLabels(container: Pick<ContainerDetails, "labels">, labels: IdLabels): boolean {
  return Object.entries(labels).every(([name, value]) => container.labels[name] === value);
}

/** There is no such dev container; an agent's may be meant then. */
export class NoDevContainer extends UserError {}

/** The error for a container that is not there; `found` says where was looked. */
export function containerNotFound(found: string): NoDevContainer {
  return new NoDevContainer(`Dev container not found. ${found}`, {
    hint: "Start it with cooper up, or list those there are with cooper ps --all.",
  });
}

/** The labels that a container's identity is made of: the old ones when it carries no other; none when no workspace is known. */
export function labelsThatCount(
  container: Pick<ContainerDetails, "labels"> | undefined,
  labels: WorkspaceLabels | undefined,
): IdLabels {
  if (labels === undefined) return {};
  return container === undefined || container.labels[configFileLabel] !== undefined ? labels.current : labels.legacy;
}

function engineFailure(
  engine: Engine,
  { args, exitCode, stderr }: { args: readonly string[]; exitCode: number; stderr: string },
): UserError {
  const reason = unreachableReason(stderr);
  if (reason !== undefined) return unreachableEngine(engine.path, reason, stderr);
  return failedCommand({ file: engine.path, args, env: {} }, exitCode, stderr);
}
