import { reachEngine } from "../runtime/find-engine.ts";
import { type AgentChoice, type AgentContainerFound, agentContainersOn, stopAgents } from "./agent-containers.ts";
import { engineCandidates } from "./open-engine.ts";
import { type StopRequest, stopContainer } from "./stop-container.ts";
import type { Tools } from "./tools.ts";

/** What of a workspace was stopped. */
export interface StoppedWorkspace {
  /** Ids, of the dev container's or of the Compose project that it belongs to. */
  readonly containers: readonly string[];
  readonly composeProject: string | undefined;
  /** Agents that were ended; their containers are gone. */
  readonly agents: readonly AgentContainerFound[];
  /** Agents that still run. */
  readonly left: readonly AgentContainerFound[];
}

/** Stops a workspace's dev container or, where an agent is chosen or there is no dev container, ends its agents. */
export async function stopWorkspace(
  request: StopRequest,
  choice: AgentChoice | undefined,
  tools: Tools,
): Promise<StoppedWorkspace> {
  const { place, dockerPath } = request;
  const nothing = { containers: [], composeProject: undefined, agents: [], left: [] };
  const question = { workspace: place.workspaceFolder, dockerPath };
  if (choice !== undefined) return { ...nothing, agents: await stopAgents({ ...question, agent: choice.name }, tools) };
  const { containers, composeProject, exists } = await stopContainer(request, tools);
  const isNamed = place.containerId !== undefined || place.idLabels.length > 0 || place.configPath !== undefined;
  if (isNamed) return { ...nothing, containers, composeProject };
  if (!exists) return { ...nothing, agents: await stopAgents(question, tools) };
  const { answer } = await reachEngine(engineCandidates(dockerPath, tools), (engine) =>
    agentContainersOn(engine, question),
  );
  return { containers, composeProject, agents: [], left: answer };
}
