import { resolve } from "node:path";
import { AGENTS } from "../agent/agents.ts";
import { workspaceFolderOf } from "../devcontainer/discover.ts";
import { type ListedContainer, listContainers } from "../workflows/list-containers.ts";
import { agentChoiceFlag, readAgentChoice } from "./agent-flags.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS, WORKSPACE_FLAGS } from "./flag-groups.ts";
import { renderColumns } from "./render-columns.ts";

/** `ps`: the dev containers and the agents' of this workspace, or of every one. */
export const ps: CliCommand = {
  name: "ps",
  description: "List this workspace's containers: dev containers, and those of agents that run",
  flags: {
    "workspace-folder": WORKSPACE_FLAGS["workspace-folder"],
    all: { type: "boolean", short: "a", description: "List every workspace's" },
    ...agentChoiceFlag(AGENTS, "List agents' containers alone, or those of the named agent"),
    json: { type: "boolean", description: "Print JSON" },
    ...ENGINE_FLAGS,
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    const folder = workspaceFolderOf(resolve(tools.workingDirectory, flags.string("workspace-folder") ?? "."));
    const workspaceFolder = flags.boolean("all") ? undefined : folder;
    const dockerPath = flags.string("docker-path");
    const { containers } = await listContainers({ workspaceFolder, dockerPath, agent: readAgentChoice(flags) }, tools);
    tools.terminal.writeData(flags.boolean("json") ? `${JSON.stringify(containers)}\n` : renderTable(containers));
    if (containers.length === 0 && !flags.boolean("json")) {
      tools.log.info(
        workspaceFolder === undefined ? "No containers." : `No container of ${folder}. --all lists every workspace's.`,
      );
    }
    return 0;
  },
};

function renderTable(containers: readonly ListedContainer[]): string {
  if (containers.length === 0) return "";
  const rows = [
    ["CONTAINER", "KIND", "STATUS", "NAME", "IMAGE", "WORKSPACE"],
    ...containers.map((container) => [
      container.containerId.slice(0, 12),
      container.agent === null ? container.kind : `agent ${container.agent}`,
      container.status,
      container.name,
      container.image,
      container.workspaceFolder,
    ]),
  ];
  return renderColumns(rows);
}
