import { configFileLabel, type IdLabels } from "../devcontainer/identity.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { containersLabelled } from "./find-container.ts";
import { type ContainerPlace, findMeantContainer } from "./find-meant-container.ts";
import { containersWith } from "./list-containers.ts";
import { removeOverrideFiles } from "./override-files.ts";
import { forgetContainer } from "./session-cache.ts";
import type { Tools } from "./tools.ts";

/** What `stop` and `down` do it to; a Compose project is all of its containers. */
export interface StopRequest {
  readonly place: ContainerPlace;
  readonly dockerPath: string | undefined;
}

/** What was stopped or removed, by id or name; empty when there was nothing to do. */
export interface Stopped {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly composeProject: string | undefined;
  /** Whether there was a container, running or not. */
  readonly exists: boolean;
}

const NOTHING: Stopped = { containers: [], volumes: [], networks: [], composeProject: undefined, exists: false };
const PROJECT_LABEL = "com.docker.compose.project";

/** Stops a workspace's container, or every container of its Compose project; nothing when none runs. */
export async function stopContainer({ place, dockerPath }: StopRequest, tools: Tools): Promise<Stopped> {
  const { engine, details, idLabels } = await findMeantContainer(place, dockerPath, tools);
  if (details === undefined) return NOTHING;
  const members = await membersOf(details, { place, idLabels, engine });
  const running = members.filter(
    ({ status }) => status === "running" || status === "paused" || status === "restarting",
  );
  if (running.length > 0) await run(engine, ["stop", ...running.map(({ id }) => id)]);
  return { ...NOTHING, containers: running.map(({ id }) => id), composeProject: projectOf(details), exists: true };
}

/**
 * Removes a workspace's container, or its Compose project with its networks; `volumes` also removes the named volumes of the project
 * and those that are mounted into no other container. Nothing when there is none.
 */
export async function removeContainer(
  { place, dockerPath }: StopRequest,
  volumes: boolean,
  tools: Tools,
): Promise<Stopped> {
  const { engine, details, idLabels } = await findMeantContainer(place, dockerPath, tools);
  if (details === undefined) return NOTHING;
  const members = await membersOf(details, { place, idLabels, engine });
  await run(engine, ["rm", "--force", "--volumes", ...members.map(({ id }) => id)]);
  for (const { id } of members) forgetContainer(id, tools);
  await removeOverrideFiles(members, undefined, tools);
  const project = projectOf(details);
  const networks = project === undefined ? [] : await removeLabelled("network", project, engine);
  const named = volumes ? await removeVolumes(members, { project, engine, tools }) : [];
  return { containers: members.map(({ id }) => id), volumes: named, networks, composeProject: project, exists: true };
}

function projectOf(details: ContainerDetails): string | undefined {
  return details.labels[PROJECT_LABEL] || undefined;
}

/** All that is to go with a container: its Compose project, or what two commands at a time made for the same workspace. */
async function membersOf(
  details: ContainerDetails,
  { place, idLabels, engine }: { place: ContainerPlace; idLabels: IdLabels; engine: Engine },
): Promise<readonly ContainerDetails[]> {
  const project = projectOf(details);
  if (project !== undefined) return containersWith(engine, { name: PROJECT_LABEL, value: project });
  // The old label alone is on the containers of a folder's other configurations too.
  const isExact = place.idLabels.length > 0 || idLabels[configFileLabel] !== undefined;
  return place.containerId === undefined && isExact ? containersLabelled(engine, idLabels) : [details];
}

async function removeLabelled(kind: "network" | "volume", project: string, engine: Engine): Promise<readonly string[]> {
  const { stdout } = await engine.ask([kind, "ls", "-q", "--filter", `label=${PROJECT_LABEL}=${project}`]);
  const names = stdout.split("\n").filter((name) => name !== "");
  if (names.length > 0) await run(engine, [kind, "rm", ...names]);
  return names;
}

async function removeVolumes(
  members: readonly ContainerDetails[],
  { project, engine, tools }: { project: string | undefined; engine: Engine; tools: Tools },
): Promise<readonly string[]> {
  if (project !== undefined) return removeLabelled("volume", project, engine);
  const mounted = members.flatMap(({ mounts }) => mounts.flatMap(({ volume }) => volume ?? []));
  const removed: string[] = [];
  for (const volume of new Set(mounted)) {
    const { exitCode, stderr } = await engine.ask(["volume", "rm", volume]);
    if (exitCode === 0) removed.push(volume);
    // An anonymous volume went with its container.
    else if (!/no such volume|no volume with name/i.test(stderr))
      tools.log.warning(`The volume ${volume} stays: ${stderr.trim()}`);
  }
  return removed;
}

function run(engine: Engine, args: readonly string[]): Promise<void> {
  return engine.run({ file: engine.path, args, env: {} });
}
