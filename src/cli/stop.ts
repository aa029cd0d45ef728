import { AGENTS } from "../agent/agents.ts";
import type { AgentContainerFound } from "../workflows/agent-containers.ts";
import { type StoppedWorkspace, stopWorkspace } from "../workflows/stop-workspace.ts";
import { agentChoiceFlag, checkAgentChoice, readAgentChoice } from "./agent-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkIdLabels } from "./flag-groups.ts";
import { printOutcome } from "./outcome.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";

/** `stop`: stops the workspace's container, or its Compose project, which `up` starts again; where there is none, ends its agents. */
export const stop: CliCommand = {
  name: "stop",
  description: "Stop this workspace's container, or its Compose project; where it has none, end its agents",
  flags: { ...agentChoiceFlag(AGENTS), ...PLACE_FLAGS },
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkIdLabels(flags);
    checkAgentChoice(flags);
  },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred stopping the container.", async () => {
      const request = { place: readPlace(flags, tools), dockerPath: flags.string("docker-path") };
      const stopped = await stopWorkspace(request, readAgentChoice(flags), tools);
      for (const line of tell(stopped)) tools.log.info(line);
      const { containers, agents } = stopped;
      return { stopped: [...containers, ...agents.map(({ id }) => id)], agents: agents.map(({ name }) => name) };
    }),
};

function tell({ containers, composeProject, agents, left }: StoppedWorkspace): readonly string[] {
  const what = composeProject === undefined ? "" : ` of the Compose project ${composeProject}`;
  const lines = [
    ...(containers.length === 0 ? [] : [`Stopped ${containers.map((id) => id.slice(0, 12)).join(", ")}${what}.`]),
    ...(agents.length === 0 ? [] : [`Ended ${agents.map(described).join(", ")}.`]),
  ];
  const still = left.length === 0 ? [] : [`Still running: ${left.map(described).join(", ")}; --agent ends it.`];
  return [...(lines.length === 0 ? ["Nothing runs."] : lines), ...still];
}

function described({ agent, name }: AgentContainerFound): string {
  return `the agent ${agent} in ${name}`;
}
