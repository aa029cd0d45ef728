import type { Agent } from "../agent/agents.ts";
import { UserError } from "../errors.ts";
import { hasDevContainer } from "../workflows/agent-base.ts";
import type { AgentChoice } from "../workflows/agent-containers.ts";
import type { BuildRequest } from "../workflows/build-request.ts";
import { hasAgentSettings } from "../workflows/load-agent-settings.ts";
import { type FlagDefinitions, type Flags, UsageError } from "./flags.ts";

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

/**
 * The agent that is asked for, or meant where a project has cooper's settings and no devcontainer.json: the first. Throws UserError for
 * an option that is about an agent where none is meant.
 */
export function agentToBuild(flags: Flags, request: BuildRequest, { agents }: { readonly agents: readonly Agent[] }) {
  const named = flags.string("agent");
  if (named !== undefined) return agents.find(({ name }) => name === named);
  const hasSource = hasDevContainer(request);
  if (!hasSource && hasAgentSettings(request.workspaceFolder)) return agents[0];
  const stray = hasSource ? ["base", "force"].find((name) => flags.boolean(name)) : undefined;
  if (stray !== undefined) {
    throw new UserError(`--${stray} is about a coding agent's image, and no agent is named.`, {
      hint: "Name one with --agent; --no-cache builds every step of a dev container's image again.",
    });
  }
  return undefined;
}

const CHOICE =
  "The container of this folder's agent, or of the named one, not the dev container; meant by itself where there is no dev container";

/** The option that means an agent's container instead of the dev container, where these are the agents. */
export function agentChoiceFlag(agents: readonly Agent[], description = CHOICE): FlagDefinitions {
  return {
    agent: {
      type: "string",
      valueHint: "name",
      valueOptional: true,
      choices: agents.map(({ name }) => name),
      description,
    },
  };
}

/** The agent whose container is asked for, by name or whichever it is; undefined where none is asked for. */
export function readAgentChoice(flags: Flags): AgentChoice | undefined {
  const name = flags.string("agent");
  return name === undefined ? undefined : { name: name === "" ? undefined : name };
}

/** Throws UsageError for an agent's container and another one asked for at once. */
export function checkAgentChoice(flags: Flags): void {
  if (flags.string("agent") === undefined) return;
  const named = ["config", "container-id"].find((name) => flags.string(name) !== undefined);
  const other = named ?? (flags.list("id-label").length > 0 ? "id-label" : undefined);
  if (other !== undefined) throw new UsageError(`--agent and --${other} mean different containers.`);
}
