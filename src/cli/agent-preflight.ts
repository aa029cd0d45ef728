import type { Agent } from "../agent/agents.ts";
import { findAgent } from "../agent/choose-variant.ts";
import type { JsonObject } from "../json.ts";
import type { AgentContainer, AgentMount } from "../plan/agent-container.ts";
import { prepareAgentRun } from "../workflows/prepare-agent-run.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";

/** `agent preflight`: what would cross the boundary of an agent's container, and nothing runs. */
export function createAgentPreflight(agents: readonly Agent[]): CliCommand {
  const names = agents.map(({ name }) => name);
  return {
    name: "preflight",
    description: "Show all that an agent's container would get of this machine, and stop",
    flags: {
      json: { type: "boolean", description: "One JSON document instead of text" },
      ...LOG_FLAGS,
    },
    positionals: { kind: "words", atMost: 1 },
    words: "agent",
    wordChoices: names,
    run: async (flags, tools) => {
      const agent = findAgent(flags.positionals[0] ?? names[0] ?? "", agents);
      const terminal = process.stdin.isTTY === true && tools.terminal.dataIsLive;
      const view = tools.terminal.messagesAreLive ? "live" : "plain";
      const { container } = await prepareAgentRun({ agent, words: [], terminal }, { view }, tools);
      const text = flags.boolean("json") ? JSON.stringify(reportOf(container)) : render(container);
      tools.terminal.writeData(`${text}\n`);
      return 0;
    },
  };
}

function reportOf(container: AgentContainer): JsonObject {
  const { port } = container;
  return {
    container: container.name,
    image: container.image,
    user: container.user,
    mounts: container.mounts.map(mountReport),
    environment: {
      set: { ...container.env },
      passed: [...container.passedEnv],
      files: container.envFiles.map(({ path, names }) => ({ path, names: [...names] })),
    },
    ports: port === undefined ? [] : [{ host: `127.0.0.1:${port}`, container: 80 }],
    network: container.network,
    hostNames: { ...container.hostNames },
    hostLoopback: container.hostLoopback,
    capabilities: [],
    privilegeEscalation: false,
    readOnlyRoot: container.readOnlyRoot,
    limits: { memory: container.memory, cpus: container.cpus, pids: container.pidsLimit },
    command: [...container.command],
  };
}

function mountReport(mount: AgentMount): JsonObject {
  switch (mount.kind) {
    case "bind":
      return { type: "bind", source: mount.source, target: mount.target, mode: mount.readOnly ? "ro" : "rw" };
    case "volume":
      return { type: "volume", source: mount.source, target: mount.target, mode: "rw" };
    case "tmpfs":
      return { type: "tmpfs", target: mount.target, mode: mount.options.includes("ro") ? "ro" : "rw" };
  }
}

function render(container: AgentContainer): string {
  const { port, env, passedEnv, envFiles } = container;
  const names = Object.entries(container.hostNames).map(([name, address]) => `${name} is ${address}`);
  const mounts = container.mounts.map((mount) => {
    const mode =
      mount.kind === "bind" && mount.readOnly
        ? "ro"
        : mount.kind === "tmpfs" && mount.options.includes("ro")
          ? "ro"
          : "rw";
    return `  ${mode}  ${mount.target}  ${mount.kind === "tmpfs" ? "(memory)" : `from ${mount.kind === "volume" ? "the volume " : ""}${mount.source}`}`;
  });
  return [
    `container    ${container.name}`,
    `image        ${container.image}`,
    `user         ${container.user}`,
    "mounts",
    ...mounts,
    `environment  ${Object.keys(env).join(" ")}`,
    `  passed     ${passedEnv.length === 0 ? "none" : passedEnv.join(" ")}`,
    ...(envFiles.length === 0 ? ["  files      none"] : []),
    ...envFiles.map(({ path, names }) => `  file       ${[path, ...names].join(" ")}`),
    `ports        ${port === undefined ? "none" : `127.0.0.1:${port} to 80`}`,
    `network      ${[container.network, ...names].join(", ")}`,
    `loopback     what listens on this machine's alone ${container.hostLoopback ? "can be reached" : "is out of reach"}`,
    "capabilities none, and none to be gained",
    `limits       ${container.memory} of memory, ${container.cpus} processors, ${container.pidsLimit} processes`,
  ].join("\n");
}
