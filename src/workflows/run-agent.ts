import { agentRunArgs, agentVolumeArgs } from "../plan/agent-container.ts";
import { enterWorkspace } from "../store/agent-presence.ts";
import { stateDirectory } from "../store/directories.ts";
import type { BuildShow } from "./build-image.ts";
import { placeGuards, takeGuards } from "./place-guards.ts";
import { type AgentRunRequest, prepareAgentRun } from "./prepare-agent-run.ts";
import type { Tools } from "./tools.ts";

/** Runs an agent in its container until it ends; resolves to its exit code. */
export async function runAgent(request: AgentRunRequest, show: BuildShow, tools: Tools): Promise<number> {
  const { container, engine, workspace, guards, hasVolumes } = await prepareAgentRun(request, show, tools);
  // One that is there already stays as it is; what else is wrong with one, the run tells.
  if (!(await hasVolumes)) await Promise.all(agentVolumeArgs(container).map((args) => engine.ask(args)));
  const command = { file: engine.path, args: agentRunArgs(container), env: {} };
  const presence = enterWorkspace(stateDirectory(tools), workspace);
  try {
    placeGuards(workspace, guards);
    const { exitCode } = await tools.runProcess(command, { stdio: { kind: "inherited" } });
    return exitCode;
  } finally {
    await takeGuards({ workspace, guards, engine, presence }, tools);
  }
}
