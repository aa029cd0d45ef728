import {
  type AgentChoice,
  type AgentContainersQuestion,
  execInAgent,
  execInFoundAgent,
  findAgentContainers,
} from "./agent-containers.ts";
import { type ExecRequest, execInContainer } from "./exec-in-container.ts";
import { NoDevContainer } from "./find-container.ts";
import { NoConfiguration } from "./load-configuration.ts";
import type { ContainerTarget } from "./locate-running-container.ts";
import type { Tools } from "./tools.ts";

/**
 * Runs a command in a workspace's dev container or, where an agent is chosen or there is no dev container, in that of its agent;
 * resolves to the exit code.
 */
export async function execInWorkspace(
  request: ExecRequest,
  choice: AgentChoice | undefined,
  tools: Tools,
): Promise<number> {
  const { target, command, remoteEnv: env, terminal, events } = request;
  const ofAgent = { command, env, terminal, events };
  const question: AgentContainersQuestion = {
    workspace: target.workspaceFolder ?? tools.workingDirectory,
    dockerPath: target.dockerPath,
  };
  if (choice !== undefined) return execInAgent(ofAgent, { ...question, agent: choice.name }, tools);
  try {
    return await execInContainer(request, tools);
  } catch (error) {
    const isNone = error instanceof NoDevContainer || error instanceof NoConfiguration;
    if (!isNone || isNamed(target)) throw error;
    const found = await findAgentContainers(question, tools);
    if (found.containers.length === 0) throw error;
    tools.log.debug(`There is no dev container: this is the container of ${found.containers[0]?.agent}.`);
    return execInFoundAgent(ofAgent, found, tools);
  }
}

/** Whether the command line says which container it means, beyond its folder. */
function isNamed({ containerId, idLabels, configPath, overrideConfigPath }: ContainerTarget): boolean {
  const hasLabels = Object.keys(idLabels).length > 0;
  return containerId !== undefined || hasLabels || configPath !== undefined || overrideConfigPath !== undefined;
}
