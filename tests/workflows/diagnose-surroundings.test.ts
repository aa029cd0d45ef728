import { expect, test } from "bun:test";
import { join } from "node:path";
import { inspectCooper, inspectDisk } from "../../src/workflows/diagnose-directories.ts";
import { endpointOf, isHere } from "../../src/workflows/diagnose-endpoint.ts";
import { inspectNetwork } from "../../src/workflows/diagnose-network.ts";
import { withHome } from "./diagnose-tools.ts";

test("cooper's directories are looked at and not made", async () => {
  await withHome({ "cache/cooper/x": "" }, async (home, toolsWith) => {
    const look = () => inspectCooper(toolsWith({ XDG_CACHE_HOME: join(home, "cache") }));
    await look();
    const { directories } = await look();
    expect(directories).toEqual([
      { variable: "XDG_CACHE_HOME", path: join(home, "cache/cooper"), exists: true, writable: true },
      { variable: "XDG_STATE_HOME", path: join(home, ".local/state/cooper"), exists: false, writable: true },
      { variable: "XDG_CONFIG_HOME", path: join(home, ".config/cooper"), exists: false, writable: true },
    ]);
  });
});

test("a directory below a file can never be made", async () => {
  await withHome({ file: "" }, async (home, toolsWith) => {
    const { directories } = await inspectCooper(toolsWith({ XDG_CACHE_HOME: join(home, "file") }));
    expect(directories[0]).toMatchObject({ exists: false, writable: false });
  });
});

test("the space for a directory that does not exist yet is that of the one it will be in", async () => {
  await withHome({}, async (home) => {
    const { path, free } = await inspectDisk(join(home, "a", "b"));
    expect(path).toBe(join(home, "a", "b"));
    expect(free).toBeGreaterThan(0);
  });
});

test("proxies are found in lower case before upper case", async () => {
  const environment = {
    https_proxy: "http://low:1",
    HTTPS_PROXY: "http://up:1",
    HTTP_PROXY: "http://up:2",
    no_proxy: "x",
    http_proxy: "",
  };
  expect(await inspectNetwork(environment)).toEqual({
    proxies: [
      { variable: "https_proxy", value: "http://low:1" },
      { variable: "HTTP_PROXY", value: "http://up:2" },
    ],
    noProxy: "x",
    certificates: [],
  });
});

test("files of certificates are opened", async () => {
  const files = { "ca.pem": "# mine\n-----BEGIN CERTIFICATE-----\n", "key.pem": "-----BEGIN PRIVATE KEY-----\n" };
  await withHome(files, async (home) => {
    const state = async (path: string) =>
      (await inspectNetwork({ NODE_EXTRA_CA_CERTS: join(home, path) })).certificates[0]?.state;
    expect(await state("ca.pem")).toBe("read");
    expect(await state("key.pem")).toBe("no certificate");
    expect(await state("none.pem")).toBe("absent");
    expect(await state(".")).toBe("unreadable");
  });
});

test("an endpoint is told without its password, and a context only where it is not the default one", () => {
  expect(endpointOf("docker", "default", { DOCKER_HOST: "ssh://ada:hunter2@build:22" })).toEqual({
    kind: "variable",
    name: "DOCKER_HOST",
    value: "ssh://ada@build:22",
  });
  expect(endpointOf("docker", "build", {})).toEqual({ kind: "context", name: "build" });
  expect(endpointOf("docker", "default", {})).toBeUndefined();
  expect(endpointOf("podman", undefined, { DOCKER_HOST: "tcp://x" })).toBeUndefined();
});

test("only a socket is on this machine", () => {
  expect([undefined, "", "unix:///var/run/docker.sock"].map(isHere)).toEqual([true, true, true]);
  expect(["tcp://127.0.0.1:2375", "ssh://ada@build"].map(isHere)).toEqual([false, false]);
});
