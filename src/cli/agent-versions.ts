import type { Agent } from "../agent/agents.ts";
import { findAgent } from "../agent/choose-variant.ts";
import { type AgentVersions, listAgentVersions } from "../workflows/list-agent-versions.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";
import { renderColumns } from "./render-columns.ts";

const JSON_FLAG = { json: { type: "boolean", description: "Print JSON" } } as const;

/** `agent list`: the agents that there are, the versions that are wanted here and those that are on this machine. */
export function createAgentList(agents: readonly Agent[]): CliCommand {
  return {
    name: "list",
    description: "List the agents, the versions wanted here and those on this machine",
    flags: { ...JSON_FLAG, ...LOG_FLAGS },
    positionals: { kind: "words", atMost: 0 },
    run: async (flags, tools) => {
      const listed = await listAgentVersions(agents, { asks: false }, tools);
      const rows = listed.map(({ agent, wanted, kept }) => [
        agent,
        wanted,
        kept.length === 0 ? "none" : kept.join(", "),
      ]);
      const table = renderColumns([["AGENT", "WANTED", "ON THIS MACHINE"], ...rows]);
      tools.terminal.writeData(flags.boolean("json") ? `${JSON.stringify(listed)}\n` : table);
      return 0;
    },
  };
}

/** Of `agent upgrade --check`, for scripts: apart from 1, which says that it could not be found out. */
const NEWER_EXISTS = 2;

/** `agent upgrade`: asks for the latest versions now instead of once a day; the next run builds with them. */
export function createAgentUpgrade(agents: readonly Agent[]): CliCommand {
  return {
    name: "upgrade",
    description:
      "Ask now which versions of the agents are the latest, for this project's base image; the next run takes them. With --check the exit code is 0 when nothing is newer, 2 when something is, 1 when it could not be found out",
    flags: {
      check: {
        type: "boolean",
        description: `Change nothing; exit with ${NEWER_EXISTS} when there is something newer`,
      },
      ...JSON_FLAG,
      ...LOG_FLAGS,
    },
    positionals: { kind: "words", atMost: 1 },
    words: "agent",
    wordChoices: agents.map(({ name }) => name),
    run: async (flags, tools) => {
      const [name] = flags.positionals;
      const asked = name === undefined ? agents : [findAgent(name, agents)];
      const check = flags.boolean("check");
      const listed = await listAgentVersions(asked, { asks: true, remembers: !check }, tools);
      tools.terminal.writeData(flags.boolean("json") ? `${JSON.stringify(listed)}\n` : listed.map(sentence).join(""));
      return check && listed.some(({ newer }) => newer) ? NEWER_EXISTS : 0;
    },
  };
}

function sentence({ agent, wanted, latest, variant, newer, kept, source }: AgentVersions): string {
  const pinned = wanted === "latest" ? "" : `; ${wanted} is wanted by ${source}, and stays`;
  const here = kept.length === 0 ? "none is on this machine yet" : `on this machine: ${kept.join(", ")}`;
  return `${agent} ${latest ?? "unknown"} (${variant ?? "unknown"}): ${newer ? "newer" : "up to date"}, ${here}${pinned}\n`;
}
