import { afterAll, describe, expect, test } from "bun:test";
import { openAgentScene, whyNoAgents } from "./agent-scene.ts";
import { askEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(whyNoAgents !== undefined)(`the network of agents${whyNoAgents ?? ""}`, () => tests(engine));
  });
}

function tests(engine: TestEngine) {
  const { project, cooper, start, id: word } = openAgentScene(engine);
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(`reached ${word}`) });
  afterAll(() => server.stop(true));

  /** The hosts behind which the server answers; that a connection is taken says nothing, which proxies do for whatever they cannot reach. */
  async function reachedFrom(id: string, hosts: readonly string[]): Promise<string[]> {
    const request = String.raw`printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3`;
    const answers = hosts.map(async (host) => {
      const script = `exec 3<>/dev/tcp/${host}/${server.port}; ${request}`;
      const { stdout } = await askEngine(engine, ["exec", id, "timeout", "5", "bash", "-c", script]);
      return stdout.includes(`reached ${word}`) ? [host] : [];
    });
    return (await Promise.all(answers)).flat();
  }
  const HOSTS = ["127.0.0.1", "host.docker.internal", "host.containers.internal", "10.0.2.2"];

  test("services of the host's loopback are out of reach, and preflight says so", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    const { id } = await start(folder);
    const gateway = (await askEngine(engine, ["exec", id, "cat", "/proc/net/route"])).stdout
      .split("\n")
      .flatMap((line) => line.split("\t")[2]?.match(/^[0-9A-F]{8}$/) ?? [])
      .filter((hex) => hex !== "00000000")
      .map((hex) => [3, 2, 1, 0].map((byte) => Number.parseInt(hex.slice(2 * byte, 2 * byte + 2), 16)).join("."));
    expect(gateway).not.toEqual([]);
    expect(await reachedFrom(id, [...HOSTS, ...gateway])).toEqual([]);
    const told = JSON.parse((await cooper(folder, ["agent", "preflight", "--json"])).stdout);
    expect(told).toMatchObject({ network: "bridge", hostLoopback: false });
    expect((await cooper(folder, ["agent", "preflight"])).stdout).toContain("alone is out of reach\n");
    await cooper(folder, ["stop"]);
  });

  test("where it is allowed they are reached as the engine can do it; else that is refused", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    const allowed = { COOPER_ALLOW_HOST_LOOPBACK: "true" };
    if (engine.name === "docker") {
      const refused = await cooper(folder, ["opencode", "--version"], allowed);
      expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
      expect(refused.stderr).toContain("docker gives the network bridge no way to this machine's loopback");
      const { id } = await start(folder, { ...allowed, COOPER_NETWORK: "host" });
      expect(await reachedFrom(id, HOSTS)).toContain("127.0.0.1");
    } else {
      const { id } = await start(folder, allowed);
      expect(await reachedFrom(id, HOSTS)).toEqual(["host.docker.internal", "10.0.2.2"]);
    }
    const preflight = await cooper(folder, ["agent", "preflight"], { ...allowed, COOPER_NETWORK: "host" });
    expect(preflight.stdout).toContain("alone can be reached\n");
    await cooper(folder, ["stop"]);
  });

  test("the network host alone is refused, and an untrusted project allows itself nothing", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE, allow_host_loopback: true, network: "host" });
    const preflight = await cooper(folder, ["agent", "preflight", "--json"]);
    expect(JSON.parse(preflight.stdout)).toMatchObject({ network: "bridge", hostLoopback: false });
    expect(preflight.stderr).toContain("allow_host_loopback is ignored");
    const host = await cooper(project({ custom_base_image: BASE_IMAGE }), ["agent", "preflight"], {
      COOPER_NETWORK: "host",
    });
    expect(host.exitCode).toBe(1);
    expect(host.stderr).toContain("allow_host_loopback is false");
  });
}
