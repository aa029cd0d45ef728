import type { Command } from "../plan/command.ts";
import { execCommand } from "./exec-command.ts";
import { NODE_RELAY, PERL_RELAY, PYTHON_RELAY, RUBY_RELAY } from "./relay-programs.ts";
import { BASH_RELAY, BUSYBOX_PUMP, BUSYBOX_RELAY } from "./relay-shell.ts";

/** What a relay can be run with in a container, best first; the last two cannot end one direction of a connection alone. */
export const RELAY_TOOLS = ["perl", "python3", "ruby", "node", "bash", "busybox"] as const;
export type RelayTool = (typeof RELAY_TOOLS)[number];

/** Where a relay connects to: the first of `hosts`, as the container knows them, that accepts a connection. */
export interface RelayTarget {
  readonly hosts: readonly string[];
  readonly port: number;
}

/** A container, and the engine's client by which it is reached. */
export interface ContainerPlace {
  readonly enginePath: string;
  readonly containerId: string;
}

/** Whether a tool's relay speaks in frames instead of plain bytes. */
export function speaksInFrames(tool: RelayTool): boolean {
  return tool !== "bash" && tool !== "busybox";
}

/** The command of a relay between its stdin and stdout here and a server in the container. */
export function relayCommand(place: ContainerPlace, tool: RelayTool, target: RelayTarget): Command {
  return execCommand(place.enginePath, {
    container: place.containerId,
    command: relayWords(tool, target),
    workingDirectory: "/",
    // What the container's own environment asks of an interpreter must not matter; the others are told so by their options.
    ...(tool === "node" ? { env: { NODE_OPTIONS: "" } } : {}),
    stdin: true,
  });
}

/** The words of a relay, run in the container itself. */
export function relayWords(tool: RelayTool, { port, hosts }: RelayTarget): readonly string[] {
  const target = [String(port), ...hosts];
  switch (tool) {
    case "perl":
      return ["perl", "-e", PERL_RELAY, "--", ...target];
    case "python3":
      return ["python3", "-I", "-S", "-c", PYTHON_RELAY, ...target];
    case "ruby":
      return ["ruby", "--disable=gems,rubyopt", "-e", RUBY_RELAY, "--", ...target];
    case "node":
      return ["node", "-e", NODE_RELAY, "--", ...target];
    case "bash":
      return ["bash", "-p", "-c", BASH_RELAY, "relay", ...target];
    case "busybox":
      return ["sh", "-c", BUSYBOX_RELAY, "relay", BUSYBOX_PUMP, ...target];
  }
}
