import { AGENT_LABEL } from "../agent/image-name.ts";
import { configFileLabel, localFolderLabel } from "../devcontainer/identity.ts";
import { AGENT_WORKSPACE_LABEL } from "../plan/plan-agent-container.ts";
import { type ContainerDetails, readContainerInspection } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { answerOf } from "../runtime/engine-answer.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { labelFilter } from "../runtime/label-filter.ts";
import { type AgentChoice, realFolder } from "./agent-containers.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** A dev container or an agent's, as a person wants it listed. */
export interface ListedContainer {
  readonly kind: "dev container" | "agent";
  /** The name of the agent that runs in it. */
  readonly agent: string | null;
  readonly containerId: string;
  readonly name: string;
  readonly status: string;
  readonly image: string;
  readonly workspaceFolder: string;
  readonly configFile: string | null;
  readonly composeProject: string | null;
  readonly created: string;
}

/** Which containers are to be listed: those of a workspace, or of all; dev containers and agents', or those of one agent or of any alone. */
export interface ListQuestion {
  readonly workspaceFolder: string | undefined;
  readonly dockerPath: string | undefined;
  readonly agent: AgentChoice | undefined;
}

/** The dev containers, running or not, and the agents' that are asked for, by folder, then name, and the engine that has them. */
export async function listContainers(
  { workspaceFolder, dockerPath, agent }: ListQuestion,
  tools: Tools,
): Promise<{ readonly engine: Engine; readonly containers: readonly ListedContainer[] }> {
  const { engine, answer } = await reachEngine(engineCandidates(dockerPath, tools), (candidate) =>
    Promise.all([
      agent === undefined ? containersWith(candidate, { name: localFolderLabel, value: workspaceFolder }) : [],
      containersWith(
        candidate,
        workspaceFolder === undefined
          ? { name: AGENT_LABEL, value: undefined }
          : { name: AGENT_WORKSPACE_LABEL, value: realFolder(workspaceFolder) },
      ),
    ]),
  );
  const [ofDev, ofAgents] = answer;
  const meant = ofAgents.filter(({ labels }) => agent?.name === undefined || labels[AGENT_LABEL] === agent.name);
  const listed = [...ofDev.map(toListed), ...meant.map(toListedAgent)];
  const containers = listed.sort((left, right) => {
    const [a, b] = [left, right].map((one) => `${one.workspaceFolder}\0${one.name}`);
    return (a ?? "") < (b ?? "") ? -1 : 1;
  });
  return { engine, containers };
}

/** The containers that carry a label, with this value or with whichever, in whatever state. */
export async function containersWith(
  engine: Engine,
  { name, value }: { readonly name: string; readonly value: string | undefined },
): Promise<readonly ContainerDetails[]> {
  const filter = value === undefined ? ["--filter", `label=${name}`] : labelFilter(name, value);
  const ids = (await answerOf(engine, ["ps", "-a", "-q", "--no-trunc", ...filter]))
    .split("\n")
    .filter((id) => id !== "");
  if (ids.length === 0) return [];
  const { stdout } = await engine.ask(["inspect", "--type", "container", ...ids]);
  // One that was removed meanwhile is missing from the answer, which is as it should be.
  const found = readContainerInspection(stdout.trim() === "" ? "[]" : stdout);
  return found.filter(({ labels }) => value === undefined || labels[name] === value);
}

function toListed(container: ContainerDetails): ListedContainer {
  const { labels } = container;
  return {
    kind: "dev container",
    agent: null,
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

function toListedAgent(container: ContainerDetails): ListedContainer {
  const { labels } = container;
  const workspaceFolder = labels[AGENT_WORKSPACE_LABEL] ?? "";
  return { ...toListed(container), kind: "agent", agent: labels[AGENT_LABEL] ?? null, workspaceFolder };
}
