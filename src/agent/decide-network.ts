import { UserError } from "../errors.ts";
import type { AgentSettings } from "./settings.ts";

/** What of this machine decides how a container can reach it. */
export interface NetworkHost {
  readonly engine: "docker" | "podman";
  readonly linux: boolean;
  /** Whether podman's network for it is installed. */
  readonly slirp: boolean;
}

/** The network of an agent's container, and what of this machine it can reach through it. */
export interface AgentNetwork {
  /** As the engine's `--network` takes it. */
  readonly network: string;
  /** Names that the container gets, with their addresses. */
  readonly hostNames: Readonly<Record<string, string>>;
  /** Whether services that listen on this machine's loopback alone can be reached. */
  readonly hostLoopback: boolean;
}

const HOST_NAME = "host.docker.internal";
/** What slirp4netns calls the machine's loopback. */
const SLIRP_LOOPBACK = "10.0.2.2";
const SLIRP = "slirp4netns";
/** Options of podman's networks that open the loopback. */
const OPENING =
  /allow_host_loopback=true|--map-gw|--map-host-loopback|--map-guest-addr|(?:^|[:,])(?:-T|-U|--tcp-ns|--udp-ns)/;

/**
 * Decides how an agent's container reaches the network: this machine's loopback only where the settings allow it. Throws UserError where
 * they contradict each other, and where the engine cannot do it.
 */
export function decideNetwork(
  settings: Pick<AgentSettings, "network" | "allow_host_loopback" | "add_host_docker_internal">,
  host: NetworkHost,
): AgentNetwork {
  const network = settings.network ?? "bridge";
  const named = settings.add_host_docker_internal === true;
  if (network === "none") return { network, hostNames: {}, hostLoopback: false };
  if (settings.allow_host_loopback === true) return openNetwork(network, host, named);
  if (network === "host" || OPENING.test(network)) {
    throw new UserError(
      `network is ${network}, through which the agent reaches services of this machine's loopback, and allow_host_loopback is false.`,
      { hint: "Set allow_host_loopback to true as well, or take another network." },
    );
  }
  if (!host.linux) return { network, hostNames: CLOSED_NAMES, hostLoopback: false };
  // Podman names the host by itself.
  const isNamed = named && host.engine === "docker";
  return { network, hostNames: isNamed ? { [HOST_NAME]: "host-gateway" } : {}, hostLoopback: false };
}

/** Where the engine is in a machine of its own, these lead to the loopback of the one around it: here they lead nowhere. */
const CLOSED_NAMES = {
  [HOST_NAME]: "127.0.0.1",
  "gateway.docker.internal": "127.0.0.1",
  "host.containers.internal": "127.0.0.1",
} as const;

function openNetwork(network: string, { engine, linux, slirp }: NetworkHost, named: boolean): AgentNetwork {
  const open = (how: string, address: string | undefined): AgentNetwork => ({
    network: how,
    hostNames: named && address !== undefined ? { [HOST_NAME]: address } : {},
    hostLoopback: true,
  });
  if (network === "host") return open(network, undefined);
  if (!linux) return open(network, engine === "docker" ? "host-gateway" : undefined);
  if (engine === "docker") {
    throw new UserError(
      `allow_host_loopback is true, and docker gives the network ${network} no way to this machine's loopback.`,
      { hint: "Set network to host, or use podman, or let the service listen on the bridge's address." },
    );
  }
  if (network !== "bridge" && network !== SLIRP && !network.startsWith(`${SLIRP}:`)) {
    throw new UserError(
      `allow_host_loopback is true, and podman's network ${network} has no way to this machine's loopback.`,
      {
        hint: `Leave network at bridge: ${SLIRP} is taken then.`,
      },
    );
  }
  if (!slirp) {
    throw new UserError(`allow_host_loopback is true, and ${SLIRP}, with which podman does it, is not on PATH.`, {
      hint: `Install ${SLIRP}, or set network to host.`,
    });
  }
  const own = network.startsWith(`${SLIRP}:`) ? `${network},` : `${SLIRP}:`;
  return open(OPENING.test(network) ? network : `${own}allow_host_loopback=true`, SLIRP_LOOPBACK);
}
