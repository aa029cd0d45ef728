import { resolve } from "node:path";
import { AGENTS } from "../agent/agents.ts";
import { workspaceFolderOf } from "../devcontainer/discover.ts";
import { type MeasuredContainer, measureContainers, watchContainers } from "../workflows/measure-containers.ts";
import { agentChoiceFlag, readAgentChoice } from "./agent-flags.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS, WORKSPACE_FLAGS } from "./flag-groups.ts";
import { renderColumns } from "./render-columns.ts";

/** `stats`: what the running containers of this workspace use, or of every one: until it is ended on a terminal, else once. */
export const stats: CliCommand = {
  name: "stats",
  description: "Show what this workspace's running containers use: live on a terminal, else one reading",
  flags: {
    "workspace-folder": WORKSPACE_FLAGS["workspace-folder"],
    all: { type: "boolean", short: "a", description: "Of every workspace's" },
    ...agentChoiceFlag(AGENTS, "Of agents' containers alone, or of those of the named agent"),
    "no-stream": { type: "boolean", description: "One reading, on a terminal too" },
    json: { type: "boolean", description: "Print one reading as JSON" },
    "docker-path": ENGINE_FLAGS["docker-path"],
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    const folder = workspaceFolderOf(resolve(tools.workingDirectory, flags.string("workspace-folder") ?? "."));
    const workspaceFolder = flags.boolean("all") ? undefined : folder;
    const question = { workspaceFolder, dockerPath: flags.string("docker-path"), agent: readAgentChoice(flags) };
    const json = flags.boolean("json");
    if (tools.terminal.dataIsLive && !json && !flags.boolean("no-stream")) {
      const exitCode = await watchContainers(question, tools);
      if (exitCode !== undefined) return exitCode;
      tools.log.info("Nothing runs.");
      return 0;
    }
    const measured = await measureContainers(question, tools);
    tools.terminal.writeData(json ? `${JSON.stringify(measured.map(reportOf))}\n` : renderTable(measured));
    if (measured.length === 0 && !json) tools.log.info("Nothing runs.");
    return 0;
  },
};

function reportOf({ container, ...usage }: MeasuredContainer) {
  const { containerId, name, kind, agent, workspaceFolder } = container;
  return { containerId, name, kind, agent, workspaceFolder, ...usage };
}

function renderTable(measured: readonly MeasuredContainer[]): string {
  if (measured.length === 0) return "";
  const heading = ["CONTAINER", "KIND", "NAME", "CPU", "MEMORY", "MEM", "NETWORK", "BLOCK", "PROCESSES"];
  const percent = (value: number | null) => (value === null ? "unknown" : `${value}%`);
  const rows = measured.map(({ container, cpuPercent, memory, memoryPercent, network, block, processes }) => [
    container.containerId.slice(0, 12),
    container.agent === null ? container.kind : `agent ${container.agent}`,
    container.name,
    percent(cpuPercent),
    memory,
    percent(memoryPercent),
    network,
    block,
    String(processes ?? "unknown"),
  ]);
  return renderColumns([heading, ...rows]);
}
