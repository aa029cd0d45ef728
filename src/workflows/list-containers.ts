import { configFileLabel, localFolderLabel } from "../devcontainer/identity.ts";
import { type ContainerDetails, readContainerInspection } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { failedCommand, unreachableEngine, unreachableReason } from "../runtime/engine-failure.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** A dev container, as a person wants it listed. */
export interface ListedContainer {
  readonly containerId: string;
  readonly name: string;
  readonly status: string;
  readonly image: string;
  readonly workspaceFolder: string;
  readonly configFile: string | null;
  readonly composeProject: string | null;
  readonly created: string;
}

/** The dev containers of a workspace, or of all with `workspaceFolder` undefined, running or not; by folder, then name. */
export async function listContainers(
  wanted: { readonly workspaceFolder: string | undefined; readonly dockerPath: string | undefined },
  tools: Tools,
): Promise<readonly ListedContainer[]> {
  const value = wanted.workspaceFolder === undefined ? "" : `=${wanted.workspaceFolder}`;
  const { answer } = await reachEngine(engineCandidates(wanted.dockerPath, tools), (engine) =>
    containersWith(engine, `${localFolderLabel}${value}`),
  );
  return answer.map(toListed).sort((left, right) => {
    const [a, b] = [left, right].map(({ workspaceFolder, name }) => `${workspaceFolder}\0${name}`);
    return (a ?? "") < (b ?? "") ? -1 : 1;
  });
}

/** The containers that carry a label (`name` or `name=value`), in whatever state. */
export async function containersWith(engine: Engine, label: string): Promise<readonly ContainerDetails[]> {
  const ids = (await answerOf(engine, ["ps", "-a", "-q", "--no-trunc", "--filter", `label=${label}`]))
    .split("\n")
    .filter((id) => id !== "");
  if (ids.length === 0) return [];
  const { stdout } = await engine.ask(["inspect", "--type", "container", ...ids]);
  // One that was removed meanwhile is missing from the answer, which is as it should be.
  return readContainerInspection(stdout.trim() === "" ? "[]" : stdout);
}

async function answerOf(engine: Engine, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.ask(args);
  if (exitCode === 0) return stdout;
  const reason = unreachableReason(stderr);
  if (reason !== undefined) throw unreachableEngine(engine.path, reason, stderr);
  throw failedCommand({ file: engine.path, args, env: {} }, exitCode, stderr);
}

function toListed(container: ContainerDetails): ListedContainer {
  const { labels } = container;
  return {
    containerId: container.id,
    name: container.name,
    status: container.status,
    image: container.image.name,
    workspaceFolder: labels[localFolderLabel] ?? "",
    configFile: labels[configFileLabel] ?? null,
    composeProject: labels["com.docker.compose.project"] ?? null,
    created: container.created,
  };
}
