import type { Agent } from "../agent/agents.ts";
import { runAgent } from "../workflows/run-agent.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";

/** An agent's own command: every word after it is the agent's; its exit code is the agent's. */
export function agentCommand(agent: Agent): CliCommand {
  return {
    name: agent.name,
    description: `Run ${agent.title} in a container that holds this project and nothing else of this machine`,
    // None is read from the command line; the log is as usual.
    flags: LOG_FLAGS,
    positionals: { kind: "everything" },
    words: "args...",
    run: (flags, tools) => {
      const terminal = process.stdin.isTTY === true && tools.terminal.dataIsLive;
      return runAgent(
        { agent, words: flags.positionals, terminal },
        { view: tools.terminal.messagesAreLive ? "live" : "plain" },
        tools,
      );
    },
  };
}
