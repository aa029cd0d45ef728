import { UserError } from "../errors.ts";
import { type ContainerStats, readStats, statsArgs } from "../runtime/container-stats.ts";
import type { Engine } from "../runtime/engine.ts";
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
  const stats = await statsOf(
    engine,
    running.map(({ containerId }) => containerId),
  );
  return running.flatMap((container) => {
    const { id = "", ...found } = stats.find((one) => one.id === container.containerId) ?? {};
    return "memory" in found ? [{ container, ...found }] : [];
  });
}

/** What containers use; one that ended meanwhile is missing, which is as it should be. */
async function statsOf(engine: Engine, ids: readonly string[]): Promise<readonly ContainerStats[]> {
  const { exitCode, stdout, stderr } = await engine.ask(statsArgs(ids));
  const stats = readStats(stdout);
  if (exitCode === 0 || stats.length > 0) return stats;
  // Where one ends while it is asked, Docker tells nothing of the others either.
  if (ids.length > 1) return (await Promise.all(ids.map((id) => statsOf(engine, [id])))).flat();
  if (/^EOF$|no such container|no container with/im.test(stderr)) return [];
  throw new UserError(`Could not ask the engine what its containers use: ${stderr.trim()}`);
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
