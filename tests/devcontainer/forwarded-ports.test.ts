import { describe, expect, test } from "bun:test";
import { forwardedPorts, type PortSettings, parsePort } from "../../src/devcontainer/forwarded-ports.ts";

const nothing: PortSettings = { forwardPorts: undefined, portsAttributes: {}, otherPortsAttributes: undefined };
const places = (settings: Partial<PortSettings>) =>
  forwardedPorts({ ...nothing, ...settings }).map(({ host, port }) => `${host}:${port}`);

describe("which ports are forwarded", () => {
  test("those of forwardPorts, in order, each once however it is written", () => {
    expect(places({ forwardPorts: [3000, "db:5432", "3000", "127.0.0.1:3000", "localhost:8080", 3000] })).toEqual([
      "localhost:3000",
      "db:5432",
      "localhost:8080",
    ]);
  });

  test("those that only portsAttributes names, but no range and no regular expression", () => {
    const portsAttributes = { "9000": {}, "cache:6379": {}, "4000-4010": {}, ".+/server.js": {}, "3000": {} };
    expect(places({ forwardPorts: [3000], portsAttributes })).toEqual([
      "localhost:3000",
      "localhost:9000",
      "cache:6379",
    ]);
  });

  test("not those that are to be ignored, unless all others are", () => {
    const portsAttributes = {
      "3000": { onAutoForward: "ignore" as const },
      "4000-4010": { onAutoForward: "ignore" as const },
    };
    const otherPortsAttributes = { onAutoForward: "ignore" as const };
    expect(places({ forwardPorts: [3000, 4001, 5000], portsAttributes, otherPortsAttributes })).toEqual([
      "localhost:5000",
    ]);
  });

  test("none where nothing is said", () => {
    expect(forwardedPorts(nothing)).toEqual([]);
  });
});

test("a port is described by its own key, else by a range that it is in, else by otherPortsAttributes", () => {
  const ports = forwardedPorts({
    forwardPorts: [3000, 3001, 5000, "db:3001"],
    portsAttributes: {
      "3000-3009": { label: "A range", protocol: "http" },
      "localhost:3000": { label: "Web", protocol: "https", requireLocalPort: true },
    },
    otherPortsAttributes: { label: "Other", elevateIfNeeded: true },
  });
  expect(ports).toEqual([
    { host: "localhost", port: 3000, label: "Web", protocol: "https", requireLocalPort: true, elevateIfNeeded: false },
    {
      host: "localhost",
      port: 3001,
      label: "A range",
      protocol: "http",
      requireLocalPort: false,
      elevateIfNeeded: false,
    },
    {
      host: "localhost",
      port: 5000,
      label: "Other",
      protocol: undefined,
      requireLocalPort: false,
      elevateIfNeeded: true,
    },
    { host: "db", port: 3001, label: "Other", protocol: undefined, requireLocalPort: false, elevateIfNeeded: true },
  ]);
});

test.each([
  "web",
  "3000/tcp",
  "db:",
  ":3000",
  "-e:3000",
  "../etc/passwd:1",
  "a b:1",
  "db;id:5432",
  "db$(id):5432",
  "db\n:5432",
  0,
  65536,
  "db:99999",
])("%p in forwardPorts is refused, with what is wanted", (written) => {
  expect(parsePort(written)).toBeUndefined();
  expect(() => places({ forwardPorts: [written] })).toThrow(
    `forwardPorts has ${JSON.stringify(written)}; wanted a port number from 1 to 65535, or a host and a port like "db:5432".`,
  );
});

test("an IPv6 address stands in brackets", () => {
  expect(parsePort("[fd00::5]:80")).toEqual({ host: "fd00::5", port: 80 });
  expect(parsePort("[::1]:80")).toEqual({ host: "localhost", port: 80 });
});
