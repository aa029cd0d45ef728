import { UserError } from "../errors.ts";
import { type ContainerStats, readStats, statsArgs } from "../runtime/container-stats.ts";
import { type ListedContainer, type ListQuestion, listContainers } from "./list-containers.ts";
import type { Tools } from "./tools.ts";

/** A running container and what it uses. */
export interface MeasuredContainer extends Omit<ContainerStats, "id"> {
  readonly container: ListedContainer;
}

/** One reading of the running containers that are asked for, in the order of `listContainers`. */
export async function measureContainers(question: ListQuestion, tools: Tools): Promise<readonly MeasuredContainer[]> {
  const { engine, containers } = await listContainers(question, tools);
  const running = containers.filter(isRunning);
  if (running.length === 0) return [];
  const { exitCode, stdout, stderr } = await engine.ask(statsArgs(running.map(({ containerId }) => containerId)));
  const stats = readStats(stdout);
  // One that ended meanwhile is missing from the answer, which is as it should be.
  if (exitCode !== 0 && stats.length === 0 && !/no such container|no container with/i.test(stderr))
    throw new UserError(`Could not ask the engine what its containers use: ${stderr.trim()}`);
  return running.flatMap((container) => {
    const { id = "", ...found } = stats.find((one) => one.id === container.containerId) ?? {};
    return "memory" in found ? [{ container, ...found }] : [];
  });
}

/** The engine's own view of the running containers that are asked for, until it is ended; undefined where none runs. */
export async function watchContainers(question: ListQuestion, tools: Tools): Promise<number | undefined> {
  const { engine, containers } = await listContainers(question, tools);
  const ids = containers.filter(isRunning).map(({ containerId }) => containerId);
  if (ids.length === 0) return undefined;
  const command = { file: engine.path, args: ["stats", ...ids], env: {} };
  const { exitCode } = await tools.runProcess(command, { stdio: { kind: "inherited" } });
  return exitCode;
}

function isRunning({ status }: ListedContainer): boolean {
  return status === "running" || status === "paused";
}
