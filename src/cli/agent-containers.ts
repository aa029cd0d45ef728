import { UserError } from "../errors.ts";
import {
  type AgentContainersQuestion,
  type ExecInAgentRequest,
  execInAgent,
  findAgentContainers,
  stopAgents,
} from "../workflows/agent-containers.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";
import { renderColumns } from "./render-columns.ts";

const FLAGS = { "docker-path": ENGINE_FLAGS["docker-path"], ...LOG_FLAGS } as const satisfies FlagDefinitions;
const ALL = { all: { type: "boolean", short: "a", description: "Of every folder, not of this one alone" } } as const;

/** `agent ps`: the containers in which agents work on this folder, or on any. */
export const agentPs: CliCommand = {
  name: "ps",
  description: "List the agents that run in this folder",
  flags: { ...ALL, json: { type: "boolean", description: "Print JSON" }, ...FLAGS },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    const { containers } = await findAgentContainers(questionOf(flags, tools, flags.boolean("all")), tools);
    const rows = containers.map(({ id, status, name, image }) => [id.slice(0, 12), status, name, image]);
    const table = rows.length === 0 ? "" : renderColumns([["CONTAINER", "STATUS", "NAME", "IMAGE"], ...rows]);
    tools.terminal.writeData(flags.boolean("json") ? `${JSON.stringify(containers)}\n` : table);
    if (containers.length === 0 && !flags.boolean("json"))
      tools.log.info("No agent runs here. --all lists every folder's.");
    return 0;
  },
};

/** `agent stop`: ends the agents of this folder, or all; ending none is no failure. */
export const agentStop: CliCommand = {
  name: "stop",
  description: "End the agents that run in this folder",
  flags: { ...ALL, ...FLAGS },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    const stopped = await stopAgents(questionOf(flags, tools, flags.boolean("all")), tools);
    tools.log.info(stopped.length === 0 ? "Nothing runs." : `Ended ${stopped.map(({ name }) => name).join(", ")}.`);
    return 0;
  },
};

/** `agent shell`: a login shell beside the agent. */
export const agentShell: CliCommand = {
  name: "shell",
  description: "Open a shell in the container of this folder's agent",
  flags: FLAGS,
  positionals: { kind: "words", atMost: 0 },
  run: (flags, tools) => execInAgent(requestOf("login shell", tools), questionOf(flags, tools), tools),
};

/** `agent exec`: a command beside the agent; its exit code is the command's. */
export const agentExec: CliCommand = {
  name: "exec",
  description: "Run a command in the container of this folder's agent",
  flags: FLAGS,
  positionals: { kind: "verbatim" },
  words: "command...",
  run: async (flags, tools) => {
    const { positionals } = flags;
    if (positionals.length > 0) return execInAgent(requestOf(positionals, tools), questionOf(flags, tools), tools);
    throw new UserError("No command to run was given.", { hint: "Write it after the options: cooper agent exec ls" });
  },
};

function questionOf(flags: Flags, tools: Tools, all = false): AgentContainersQuestion {
  return { workspace: all ? undefined : tools.workingDirectory, dockerPath: flags.string("docker-path") };
}

function requestOf(command: ExecInAgentRequest["command"], tools: Tools): ExecInAgentRequest {
  const terminal = process.stdin.isTTY === true && tools.terminal.dataIsLive;
  return { command, env: {}, terminal, events: undefined };
}
