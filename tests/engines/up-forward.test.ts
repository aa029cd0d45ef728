import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE_IMAGE, describeEngine } from "./engines.ts";
import { openUpScene } from "./up-scene.ts";

const PORT = 18_123;
const SERVE = `nohup perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalAddr=>q(127.0.0.1),LocalPort=>${PORT},Listen=>5,ReuseAddr=>1);while($c=$s->accept){print $c qq(HTTP/1.0 200 OK\\r\\n\\r\\nfrom inside);close $c}' >/dev/null 2>&1 &`;

/** The first line of a stream in which the pattern is found; what came so far in the error when it ends before. */
async function waitFor(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`${pattern} never came: ${text}`);
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openUpScene(engine);
    const folder = mkdtempSync(join(tmpdir(), "cooper-agent-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test("up --forward goes on and makes the container's loopback ports reachable until it is told to stop", async () => {
      const project = scene.project({ image: BASE_IMAGE, forwardPorts: [PORT], postStartCommand: SERVE });
      await scene.up(project);
      const binary = process.env["COOPER_TEST_BINARY"] ?? join(import.meta.dir, "..", "..", "dist", "cooper");
      const child = Bun.spawn(
        [binary, "up", "--forward", "--workspace-folder", project, "--docker-path", engine.path],
        {
          env: { ...process.env, ...engine.env, XDG_STATE_HOME: scene.home, XDG_CACHE_HOME: scene.home },
          stdin: "ignore",
          stdout: "pipe",
          stderr: "pipe",
        },
      );
      try {
        const address = await waitFor(
          child.stderr,
          new RegExp(`Port ${PORT} of the container is at (127\\.0\\.0\\.1:\\d+)`),
        );
        expect(await (await fetch(`http://${address}/`)).text()).toBe("from inside");
        child.kill("SIGINT");
        expect(await child.exited).toBe(130);
        expect(await child.stdout.text()).toMatch(/^\{"outcome":"success",[^\n]*\}\n$/);
      } finally {
        child.kill("SIGKILL");
      }
    });

    test("up --ssh-agent hands in the socket of the user's agent, and says so where there is none", async () => {
      const socket = join(folder, "agent.sock");
      const agent = createServer((connection) => connection.end("an agent")).listen(socket);
      try {
        const project = scene.project({ image: BASE_IMAGE });
        const options = { args: ["--ssh-agent"], env: { SSH_AUTH_SOCK: socket } };
        await scene.up(project, options);
        const said = await scene.cooper("up", scene.project({ image: BASE_IMAGE }), {
          args: ["--ssh-agent"],
          env: { SSH_AUTH_SOCK: "" },
        });
        expect(said.outcome).toMatchObject({
          outcome: "error",
          message: "The SSH agent cannot be forwarded: SSH_AUTH_SOCK is not set.",
        });
        const [details] = await scene.containers(project);
        expect(details?.env["SSH_AUTH_SOCK"]).toBe("/run/host-services/ssh-auth.sock");
        expect(details?.mounts.map(({ source, target }) => ({ source, target }))).toContainEqual({
          source: socket,
          target: "/run/host-services/ssh-auth.sock",
        });
      } finally {
        agent.close();
      }
    });
  });
}
