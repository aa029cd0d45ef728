import { resolve } from "node:path";
import { CONTAINER_HOST, type ForwardedPort } from "../devcontainer/forwarded-ports.ts";
import { parseIdLabels } from "../devcontainer/identity.ts";
import { UserError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { addressOf, surveyPorts } from "../workflows/forward-ports.ts";
import { type ContainerPorts, findContainerPorts } from "../workflows/forward-ports-find.ts";
import type { LocalPort } from "../workflows/forward-ports-listen.ts";
import type { ContainerTarget } from "../workflows/locate-running-container.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand } from "./command.ts";
import { checkIdLabels } from "./flag-groups.ts";
import type { Flags } from "./flags.ts";
import { forwardUntilEnd } from "./forward-until-end.ts";
import { printFailure } from "./outcome.ts";
import { PLACE_FLAGS } from "./place-flags.ts";

const DESCRIPTION = "An error occurred forwarding the container's ports.";

/** `ports`: the ports that the configuration names, listed, or forwarded to this machine's loopback for as long as it runs. */
export const ports: CliCommand = {
  name: "ports",
  description: "List this workspace's ports, or forward them to this machine",
  flags: {
    forward: {
      type: "boolean",
      short: "f",
      description: "Make them reachable on 127.0.0.1 until the container stops or you press Ctrl-C",
    },
    json: { type: "boolean", description: "Print JSON; with --forward it is printed in any case" },
    ...PLACE_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: checkIdLabels,
  run: async (flags, tools) => {
    try {
      const found = await findContainerPorts(readTarget(flags, tools), tools);
      return flags.boolean("forward") ? await forward(found, tools) : await list(found, flags, tools);
    } catch (error) {
      if (!flags.boolean("json") && !flags.boolean("forward")) throw error;
      return printFailure(tools, DESCRIPTION, error);
    }
  },
};

/** Forwards until the end, with the mapping as JSON on stdout once it stands; resolves to the exit code. */
async function forward(found: ContainerPorts, tools: Tools): Promise<number> {
  if (found.ports.length === 0) {
    throw new UserError("There is nothing to forward: the configuration names no ports.", {
      hint: 'Name them in devcontainer.json: "forwardPorts": [3000]',
    });
  }
  return forwardUntilEnd(found, tools, (local) =>
    tools.terminal.writeData(`${JSON.stringify(describeMapping(found, local))}\n`),
  );
}

function describeMapping({ container }: ContainerPorts, local: readonly LocalPort[]): JsonObject {
  return {
    outcome: "success",
    containerId: container.id,
    ports: local.map(({ forwarded, localPort }) => ({
      ...describePort(forwarded),
      localAddress: "127.0.0.1",
      localPort,
      url: forwarded.protocol === undefined ? null : addressOf(forwarded, localPort),
    })),
  };
}

async function list(found: ContainerPorts, flags: Flags, tools: Tools): Promise<number> {
  const { listening } = await surveyPorts(found.engine, found.container);
  const rows = found.ports.map((port) => ({
    port,
    listening: port.host === CONTAINER_HOST ? (listening?.has(port.port) ?? null) : null,
  }));
  if (flags.boolean("json")) {
    const members = rows.map((row) => ({ ...describePort(row.port), listening: row.listening }));
    const document = { outcome: "success", containerId: found.container.id, ports: members };
    tools.terminal.writeData(`${JSON.stringify(document)}\n`);
    return 0;
  }
  if (rows.length === 0) tools.log.info("The configuration names no ports.");
  else tools.terminal.writeData(renderTable(rows));
  return 0;
}

function describePort({ host, port, label, protocol, requireLocalPort }: ForwardedPort): JsonObject {
  return { host, port, label: label ?? null, protocol: protocol ?? null, requireLocalPort };
}

function renderTable(rows: readonly { readonly port: ForwardedPort; readonly listening: boolean | null }[]): string {
  const cells = [
    ["PORT", "LISTENING", "PROTOCOL", "LABEL"],
    ...rows.map(({ port: { host, port, protocol, label }, listening }) => [
      host === CONTAINER_HOST ? String(port) : `${host}:${port}`,
      listening === null ? "unknown" : listening ? "yes" : "no",
      protocol ?? "",
      label ?? "",
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** Without an option that names a container, that of the current folder is meant. */
function readTarget(flags: Flags, tools: Tools): ContainerTarget {
  const path = (name: string) => {
    const written = flags.string(name);
    return written === undefined ? undefined : resolve(tools.workingDirectory, written);
  };
  const containerId = flags.string("container-id");
  const idLabels = flags.list("id-label");
  const named = containerId !== undefined || idLabels.length > 0;
  return {
    workspaceFolder: path("workspace-folder") ?? (named ? undefined : tools.workingDirectory),
    configPath: path("config"),
    containerId,
    idLabels: parseIdLabels(idLabels),
    dockerPath: flags.string("docker-path"),
  };
}
