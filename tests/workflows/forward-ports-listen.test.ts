import { expect, test } from "bun:test";
import type { ForwardedPort } from "../../src/devcontainer/forwarded-ports.ts";
import type { Listen } from "../../src/host/listen.ts";
import { describeLocalPort } from "../../src/workflows/forward-ports.ts";
import { listenForPorts } from "../../src/workflows/forward-ports-listen.ts";

/** Stands in for this machine's ports: which are taken, and which are root's, cannot be chosen on a real one. */
function fakePorts({ taken = [], privilegedBelow = 0 }: { taken?: readonly number[]; privilegedBelow?: number }) {
  const open = new Set(taken);
  const listen: Listen = (port) => {
    if (port < privilegedBelow && port !== 0) return "not permitted";
    if (open.has(port)) return "taken";
    const own = port === 0 ? 49152 : port;
    open.add(own);
    return { port: own, stop: () => void open.delete(own) };
  };
  return { open, listen };
}

function port(number: number, more: Partial<ForwardedPort> = {}): ForwardedPort {
  return {
    host: "localhost",
    port: number,
    label: undefined,
    protocol: undefined,
    requireLocalPort: false,
    elevateIfNeeded: false,
    ...more,
  };
}

function lines(
  ports: readonly ForwardedPort[],
  { listen }: { readonly listen: Listen },
  more: { published?: readonly number[]; sharesNetwork?: boolean } = {},
): readonly string[] {
  const published = (more.published ?? []).map((hostPort) => ({
    port: hostPort,
    protocol: "tcp",
    hostAddress: "",
    hostPort,
  }));
  const settings = { listen, published, sharesNetwork: more.sharesNetwork ?? false, onConnection: () => {} };
  return listenForPorts(ports, settings).map(describeLocalPort);
}

test("a free port keeps its number; what it is and how it is spoken to is said", () => {
  expect(lines([port(3000, { label: "Web", protocol: "https" }), port(5432, { host: "db" })], fakePorts({}))).toEqual([
    "Port 3000 (Web) of the container is at https://127.0.0.1:3000",
    "Port 5432 of db is at 127.0.0.1:5432",
  ]);
});

test("a taken one moves to the next free one, and says so", () => {
  expect(lines([port(3000, { protocol: "http" })], fakePorts({ taken: [3000, 3001] }))).toEqual([
    "Port 3000 of the container is at http://127.0.0.1:3002 (3000 is taken)",
  ]);
});

test("no port moves to a number that a later one has for its own", () => {
  expect(lines([port(3000), port(3001)], fakePorts({ taken: [3000] }))).toEqual([
    "Port 3000 of the container is at 127.0.0.1:3002 (3000 is taken)",
    "Port 3001 of the container is at 127.0.0.1:3001",
  ]);
});

test("the same number of two hosts is had once, and the other moves", () => {
  expect(lines([port(5432), port(5432, { host: "db" })], fakePorts({}))).toEqual([
    "Port 5432 of the container is at 127.0.0.1:5432",
    "Port 5432 of db is at 127.0.0.1:5433 (5432 is taken)",
  ]);
});

test("a port that the engine publishes is taken by that", () => {
  expect(lines([port(3000)], fakePorts({ taken: [3000] }), { published: [3000] })).toEqual([
    "Port 3000 of the container is at 127.0.0.1:3001 (3000 is taken: the engine publishes the container's ports there)",
  ]);
});

test("a port of root's moves by 8000 for anybody else", () => {
  const ports = [port(80, { protocol: "http" }), port(443, { elevateIfNeeded: true })];
  expect(lines(ports, fakePorts({ privilegedBelow: 1024, taken: [8080] }))).toEqual([
    "Port 80 of the container is at http://127.0.0.1:8081 (80 is for root alone)",
    "Port 443 of the container is at 127.0.0.1:8443 (443 is for root alone; elevateIfNeeded is not supported)",
  ]);
});

test("above the last number there is still any free port", () => {
  expect(lines([port(65535)], fakePorts({ taken: [65535] }))).toEqual([
    "Port 65535 of the container is at 127.0.0.1:49152 (65535 is taken)",
  ]);
});

test("a port that must have its own number and cannot is an error, and nothing is listened on", () => {
  const machine = fakePorts({ taken: [3000] });
  expect(() => lines([port(4000), port(3000, { requireLocalPort: true })], machine)).toThrow(
    "Port 3000 cannot be forwarded to the same port of this machine: 3000 is taken.",
  );
  expect([...machine.open]).toEqual([3000]);
});

test("in the machine's own network there is nothing to listen for, but for other hosts there is", () => {
  const machine = fakePorts({ taken: [3000] });
  expect(lines([port(3000), port(5432, { host: "db" })], machine, { sharesNetwork: true })).toEqual([
    "Port 3000 of the container is at 127.0.0.1:3000 (the container uses this machine's network)",
    "Port 5432 of db is at 127.0.0.1:5432",
  ]);
});
