import { expect, test } from "bun:test";
import { type MachineNetwork, viewOfNetwork } from "../../src/workflows/forward-ports-direct.ts";

const ID = "a66424835dac9275b64b8d23323eaf6e0788249cf5a55f404aa39bba3825c012";
const container = { id: ID, pid: 4711, networks: [{ name: "bridge", address: "172.17.0.3" }] };

/** A Linux machine with an engine of root's; what differs from it is what each test is about, and cannot be had at will. */
const machine: MachineNetwork = {
  runsInContainer: (pid, id) => pid === 4711 && id === ID,
  networkNamespace: (pid) => `net:[${pid === "self" ? 1 : 2}]`,
  userMap: () => "0 0 4294967295",
  interfaceNetworks: ["192.0.2.2/24", "172.17.0.1/16"],
};

test("a container on a network of this machine is reached at its address", () => {
  expect(viewOfNetwork(container, machine)).toEqual({ kind: "addresses", addresses: ["172.17.0.3"] });
});

test("an address that happens to be in a network of this machine is not used when the container is elsewhere", () => {
  expect(viewOfNetwork(container, { ...machine, runsInContainer: () => false })).toEqual({ kind: "hidden" });
  expect(viewOfNetwork({ ...container, pid: undefined }, machine)).toEqual({ kind: "hidden" });
});

test("nor when a rootless engine keeps its networks to itself", () => {
  const userMap = (pid: number | "self") => (pid === "self" ? "0 0 4294967295" : "0 1000 1");
  expect(viewOfNetwork(container, { ...machine, userMap })).toEqual({ kind: "hidden" });
  expect(viewOfNetwork(container, { ...machine, userMap: () => undefined })).toEqual({ kind: "hidden" });
});

test("an address that no interface leads to, or that is this machine's own, is not used", () => {
  const at = (address: string) => viewOfNetwork({ ...container, networks: [{ name: "bridge", address }] }, machine);
  expect(at("10.0.2.100").kind).toBe("hidden");
  expect(at("172.18.0.3").kind).toBe("hidden");
  expect(at("172.17.0.1").kind).toBe("hidden");
  expect(at("").kind).toBe("hidden");
  expect(at("fd00::3").kind).toBe("hidden");
});

test("a container in this machine's own network is known by the namespace, or by the network's name where that cannot be read", () => {
  const host = { ...container, networks: [{ name: "host", address: "" }] };
  expect(viewOfNetwork(container, { ...machine, networkNamespace: () => "net:[1]" })).toEqual({ kind: "shared" });
  expect(viewOfNetwork(host, { ...machine, networkNamespace: () => undefined })).toEqual({ kind: "shared" });
  expect(viewOfNetwork(container, { ...machine, networkNamespace: () => undefined }).kind).toBe("addresses");
});
