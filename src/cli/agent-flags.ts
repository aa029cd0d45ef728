import type { Agent } from "../agent/agents.ts";
import { hasDevContainer } from "../workflows/agent-base.ts";
import type { BuildRequest } from "../workflows/build-request.ts";
import { hasAgentSettings } from "../workflows/load-agent-settings.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** The options of `build` and `plan` that are about a coding agent, where these are the agents. */
export function agentBuildFlags(agents: readonly Agent[]): FlagDefinitions {
  return {
    agent: {
      type: "string",
      valueHint: "name",
      choices: agents.map(({ name }) => name),
      description: `Put a coding agent on the image (default where cooper.jsonc is all there is: ${agents[0]?.name})`,
    },
    base: { type: "boolean", description: "With an agent: build what it is put on again, too" },
    force: {
      type: "boolean",
      short: "f",
      description: "With an agent: build its image again, even if nothing changed",
    },
  };
}

/** The agent that is asked for, or meant where a project has cooper's settings and no devcontainer.json: the first. */
export function agentToBuild(flags: Flags, request: BuildRequest, { agents }: { readonly agents: readonly Agent[] }) {
  const named = flags.string("agent");
  if (named !== undefined) return agents.find(({ name }) => name === named);
  const isMeant = hasAgentSettings(request.workspaceFolder) && !hasDevContainer(request);
  return isMeant ? agents[0] : undefined;
}
