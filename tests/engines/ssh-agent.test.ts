import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planSshAgent, sshAgentOf } from "../../src/plan/ssh-agent.ts";
import { readContainerInspection } from "../../src/runtime/container-details.ts";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine } from "./engines.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-agent-"));
const socket = join(directory, "agent.1");
/** Stands in for an agent: one would need keys, and what it says to them is not ours. */
const agent = Bun.listen({ unix: socket, socket: { data: (client, bytes) => void client.end(`agent got ${bytes}`) } });
afterAll(() => {
  agent.stop(true);
  rmSync(directory, { recursive: true, force: true });
});

const isSocket = (path: string) => statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
const ASK = `use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0);
connect($s, sockaddr_un($ENV{SSH_AUTH_SOCK})) or die $!; syswrite($s, "hello"); sysread($s, my $answer, 100); print $answer`;

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    test("the host's SSH agent answers in a container that was made with it", async () => {
      const facts = {
        socket,
        isSocket,
        platform: process.platform,
        engine: name,
        desktop: false,
        remoteHost: undefined,
      };
      const { mount, env } = planSshAgent(facts);
      const variables = Object.entries(env).flatMap(([variable, value]) => ["-e", `${variable}=${value}`]);
      const unconfined = ["--security-opt", "label=disable"];
      const args = ["run", "-d", ...unconfined, "--mount", mount, ...variables, BASE_IMAGE, "sleep", "600"];
      const id = (await runEngine(engine, args)).trim();
      try {
        expect(await runEngine(engine, ["exec", id, "perl", "-e", ASK])).toBe("agent got hello");
        const [details] = readContainerInspection(await runEngine(engine, ["inspect", "--type", "container", id]));
        expect(sshAgentOf({ mounts: details?.mounts ?? [] }, isSocket)).toEqual(env);
      } finally {
        await askEngine(engine, ["kill", id]);
        await askEngine(engine, ["rm", "--force", id]);
      }
    });
  });
}
