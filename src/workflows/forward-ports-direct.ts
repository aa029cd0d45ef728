import { readFileSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { runsInContainer } from "../host/process-identity.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";

/** How a container's network is seen from this machine, if it is at all. */
export type NetworkView =
  | { readonly kind: "shared" }
  /** The addresses under which what listens on all of the container's addresses answers. */
  | { readonly kind: "addresses"; readonly addresses: readonly string[] }
  | { readonly kind: "hidden" };

/** What of this machine decides it; undefined where it cannot be read. */
export interface MachineNetwork {
  readonly runsInContainer: (pid: number, containerId: string) => boolean;
  readonly networkNamespace: (pid: number | "self") => string | undefined;
  readonly userMap: (pid: number | "self") => string | undefined;
  /** Like `172.17.0.1/16`, without the loopback. */
  readonly interfaceNetworks: readonly string[];
}

/**
 * Whether a container can be reached without its engine. A remote or rootless engine's container may have an address that is another's
 * here: so its process must be one of this machine's, in no user namespace of its own, on a network that this machine has a leg in.
 */
export function viewOfNetwork(
  container: Pick<ContainerDetails, "id" | "pid" | "networks">,
  machine: MachineNetwork,
): NetworkView {
  const { pid, id } = container;
  if (pid === undefined || !machine.runsInContainer(pid, id)) return { kind: "hidden" };
  const namespace = machine.networkNamespace(pid);
  const shared =
    namespace === undefined
      ? container.networks.some(({ name }) => name === "host")
      : namespace === machine.networkNamespace("self");
  if (shared) return { kind: "shared" };
  const users = machine.userMap(pid);
  if (users === undefined || users !== machine.userMap("self")) return { kind: "hidden" };
  const addresses = container.networks
    .map(({ address }) => address)
    .filter((address) => machine.interfaceNetworks.some((network) => isInNetwork(address, network)));
  return addresses.length === 0 ? { kind: "hidden" } : { kind: "addresses", addresses };
}

/** This machine; what it has of it where it is Linux. */
export function readMachineNetwork(): MachineNetwork {
  return {
    runsInContainer,
    networkNamespace: (pid) => orUndefined(() => readlinkSync(`/proc/${pid}/ns/net`)),
    userMap: (pid) => orUndefined(() => readFileSync(`/proc/${pid}/uid_map`, "utf8")),
    interfaceNetworks: Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).flatMap(({ internal, cidr }) => (internal || cidr === null ? [] : [cidr])),
    ),
  };
}

function isInNetwork(address: string, network: string): boolean {
  const [base = "", bits = ""] = network.split("/");
  const [left, right] = [ipv4Number(address), ipv4Number(base)];
  if (left === undefined || right === undefined || left === right) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(left / size) === Math.floor(right / size);
}

function ipv4Number(address: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) === true
    ? parts.reduce((number, part) => number * 256 + part, 0)
    : undefined;
}

function orUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
