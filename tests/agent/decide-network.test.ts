import { expect, test } from "bun:test";
import { decideNetwork, type NetworkHost } from "../../src/agent/decide-network.ts";

const DOCKER: NetworkHost = { engine: "docker", linux: true, slirp: true };
const PODMAN: NetworkHost = { engine: "podman", linux: true, slirp: true };
const settings = (network: string, allowed: boolean) => ({
  network,
  allow_host_loopback: allowed,
  add_host_docker_internal: true,
});

test("unless it is allowed, no network leads to the loopback, and one that would is refused", () => {
  expect(decideNetwork(settings("bridge", false), DOCKER)).toEqual({
    network: "bridge",
    hostNames: { "host.docker.internal": "host-gateway" },
    hostLoopback: false,
  });
  expect(decideNetwork(settings("bridge", false), PODMAN)).toEqual({
    network: "bridge",
    hostNames: {},
    hostLoopback: false,
  });
  for (const network of ["host", "slirp4netns:allow_host_loopback=true", "pasta:--map-gw", "pasta:-T,auto"])
    expect(() => decideNetwork(settings(network, false), PODMAN)).toThrow("allow_host_loopback is false");
});

test("podman reaches the loopback through slirp4netns, docker in the network host alone", () => {
  const reached = {
    network: "slirp4netns:allow_host_loopback=true",
    hostNames: { "host.docker.internal": "10.0.2.2" },
  };
  expect(decideNetwork(settings("bridge", true), PODMAN)).toEqual({ ...reached, hostLoopback: true });
  expect(decideNetwork(settings("slirp4netns", true), PODMAN)).toMatchObject(reached);
  expect(decideNetwork(settings("slirp4netns:mtu=1500", true), PODMAN).network).toBe(
    "slirp4netns:mtu=1500,allow_host_loopback=true",
  );
  expect(decideNetwork(settings("slirp4netns:allow_host_loopback=true", true), PODMAN)).toMatchObject(reached);
  expect(decideNetwork(settings("host", true), DOCKER)).toEqual({ network: "host", hostNames: {}, hostLoopback: true });
  expect(() => decideNetwork(settings("bridge", true), DOCKER)).toThrow("docker gives the network bridge no way");
  expect(() => decideNetwork(settings("mine", true), PODMAN)).toThrow("podman's network mine has no way");
  expect(() => decideNetwork(settings("bridge", true), { ...PODMAN, slirp: false })).toThrow("not on PATH");
});

test("without a network nothing is reached, whatever is allowed", () => {
  expect(decideNetwork(settings("none", true), DOCKER)).toEqual({
    network: "none",
    hostNames: {},
    hostLoopback: false,
  });
});

test("where the engine is in a machine of its own, its names for the one around it lead nowhere unless that is allowed", () => {
  const desktop = { ...DOCKER, linux: false };
  expect(new Set(Object.values(decideNetwork(settings("bridge", false), desktop).hostNames))).toEqual(
    new Set(["127.0.0.1"]),
  );
  expect(decideNetwork(settings("bridge", true), desktop)).toEqual({
    network: "bridge",
    hostNames: { "host.docker.internal": "host-gateway" },
    hostLoopback: true,
  });
});
