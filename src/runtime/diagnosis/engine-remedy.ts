import { nearestName } from "../../nearest-name.ts";
import { enumerate, type Remedy } from "./check.ts";
import { describeEndpoint, type EngineFacts, type SocketFacts } from "./engine-facts.ts";
import { asRoot, installPodman, type Machine, startDocker } from "./machine.ts";

/** What makes an engine answer that does not. */
export function remedyFor(engine: EngineFacts, machine: Machine): Remedy {
  const { state } = engine;
  switch (state.kind) {
    case "answers":
      return { text: "", commands: [] };
    case "not installed":
      return nameAnother(engine, machine);
    case "not running":
      return remedyForStopped(engine, machine);
    case "permission denied":
      return remedyForSocket(state.socket, machine);
    case "silent":
      return remedyForSilence(engine, machine);
    case "failed":
      return engine.kind === "unknown"
        ? nameAnother(engine, machine)
        : { text: "See for yourself:", commands: [`${engine.path} info`] };
  }
}

function nameAnother({ path }: EngineFacts, machine: Machine): Remedy {
  const installed = ["docker", "podman"].filter((name) => machine.programs.has(name));
  const nearest = path.includes("/") ? undefined : nearestName(path, installed);
  if (nearest !== undefined) return { text: `Did you mean ${nearest}?`, commands: [] };
  if (installed.length > 0) return { text: `Name another: ${enumerate(installed)} can be run here.`, commands: [] };
  return { text: "Install an engine (Podman needs no daemon):", commands: installPodman(machine) };
}

function remedyForStopped({ kind, endpoint, virtualMachines }: EngineFacts, machine: Machine): Remedy {
  switch (endpoint?.kind) {
    case "variable":
      return {
        text: `Start the engine there, correct ${endpoint.name}, or take it away to use the engine of this machine:`,
        commands: [`unset ${endpoint.name}`],
      };
    case "context":
      return {
        text: `Start the engine of the docker context ${endpoint.name}, or use another:`,
        commands: ["docker context ls", "docker context use default"],
      };
    case undefined:
      break;
  }
  if (kind !== "podman") return startDocker(machine);
  if (virtualMachines === undefined)
    return { text: "Start its service:", commands: ["podman system service --time 0"] };
  return {
    text: virtualMachines === 0 ? "Podman needs a virtual machine here, and has none:" : "Start its virtual machine:",
    commands: [virtualMachines === 0 ? "podman machine init --now" : "podman machine start"],
  };
}

function remedyForSocket(socket: SocketFacts | undefined, machine: Machine): Remedy {
  if (socket?.group === undefined) {
    return {
      text: `The socket is root's alone: have it belong to a group (docker's is called docker) that you are in.`,
      commands: [],
    };
  }
  if (socket.userIsMember) {
    return {
      text: `You are in the group ${socket.group}, but this session is older than that: log in again, or start a shell that has it:`,
      commands: [`newgrp ${socket.group}`],
    };
  }
  const join = machine.programs.has("usermod")
    ? `usermod -aG ${socket.group} ${machine.user.name}`
    : `addgroup ${machine.user.name} ${socket.group}`;
  return {
    text: `Join the group ${socket.group}, whose members are as good as root, and log in again.`,
    commands: [asRoot(machine, join), `newgrp ${socket.group}`],
  };
}

function remedyForSilence({ kind, endpoint }: EngineFacts, machine: Machine): Remedy {
  if (endpoint !== undefined) {
    return { text: `Is ${describeEndpoint(endpoint)} what you mean, and can it be reached from here?`, commands: [] };
  }
  const restarts = kind === "docker" && machine.serviceManager === "systemd" && machine.programs.has("dockerd");
  return restarts
    ? {
        text: "Its daemon hangs. Look at what it says, then start it again:",
        commands: ["journalctl -u docker -n 50", asRoot(machine, "systemctl restart docker")],
      }
    : { text: "It hangs: look at its own log, and start it again.", commands: [] };
}
