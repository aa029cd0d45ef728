import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { parseFlags } from "../../src/cli/flags.ts";
import { ports } from "../../src/cli/ports.ts";
import { askEngine } from "./builders.ts";
import { availableEngines, describeEngine } from "./engines.ts";
import { closed, dial, exchange, localPortOf, openForwardScene } from "./forward-scene.ts";

const payload = randomBytes(5 * 1024 * 1024);

/** The small image that people use most; it has busybox and nothing else. */
const BUSYBOX_IMAGE = "docker.io/library/alpine:latest";
const enginesWithBusybox = new Set<string>();
for (const engine of availableEngines().filter(({ reason }) => reason === undefined)) {
  const { exitCode } = await askEngine(engine, ["image", "inspect", BUSYBOX_IMAGE]);
  if (exitCode === 0) enginesWithBusybox.add(engine.name);
}

/** Sends all of it and waits for as much to come back, without ending. */
async function echoed(port: number, sent: Buffer): Promise<Buffer> {
  const socket = await dial(port);
  const chunks: Buffer[] = [];
  let count = 0;
  const complete = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      count += chunk.length;
      if (count === sent.length) resolve();
    });
  });
  socket.write(sent);
  await complete;
  return Buffer.concat(chunks);
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openForwardScene(engine);
    const { start, serveEcho, processes, inContainer, forward, openTools } = scene;
    const shared = start();

    test("a server on the container's own loopback answers: five megabytes there and back, and the client's end", async () => {
      const container = await shared;
      const forwarding = await forward(container, [await serveEcho(container, "127.0.0.1")]);
      expect(Bun.hash(await exchange(localPortOf(forwarding), payload))).toBe(Bun.hash(payload));
      forwarding.interrupt();
      await forwarding.ended;
    });

    test("so does one that listens on all addresses", async () => {
      const container = await shared;
      const forwarding = await forward(container, [await serveEcho(container, "0.0.0.0")]);
      expect(Bun.hash(await exchange(localPortOf(forwarding), payload))).toBe(Bun.hash(payload));
      forwarding.interrupt();
      await forwarding.ended;
    });

    test("twenty connections at once do not disturb each other", async () => {
      const container = await shared;
      const forwarding = await forward(container, [await serveEcho(container, "127.0.0.1")]);
      const payloads = Array.from({ length: 20 }, () => randomBytes(100_000));
      const answers = await Promise.all(payloads.map((sent) => exchange(localPortOf(forwarding), sent)));
      expect(answers.map((answer) => Bun.hash(answer))).toEqual(payloads.map((sent) => Bun.hash(sent)));
      forwarding.interrupt();
      await forwarding.ended;
    });

    test("a server that only the container knows by name is reached through it", async () => {
      const container = await shared;
      const port = await serveEcho(container, "0.0.0.0");
      const host = (await inContainer(container, "hostname")).trim();
      const forwarding = await forward(container, [`${host}:${port}`]);
      expect((await exchange(localPortOf(forwarding), Buffer.from("hello"))).toString()).toBe("hello");
      expect(forwarding.messages.join("")).toBe(`Port ${port} of ${host} is at 127.0.0.1:${port}\n`);
      forwarding.interrupt();
      await forwarding.ended;
    });

    test("Ctrl-C breaks open connections off, frees the ports and leaves no process in the container", async () => {
      const container = await shared;
      const silent = await serveEcho(container, "127.0.0.1");
      const before = await processes(container);
      const forwarding = await forward(container, [silent]);
      const port = localPortOf(forwarding);
      const sockets = await Promise.all([dial(port), dial(port), dial(port)]);
      const answers = sockets.map((socket) => once(socket, "data"));
      for (const socket of sockets) socket.write("x");
      await Promise.all(answers);
      const gone = Promise.all(sockets.map(closed));
      forwarding.interrupt();
      expect(await forwarding.ended).toEqual({ kind: "interrupted", exitCode: 130 });
      await gone;
      expect(await dial(port).catch(({ code }) => code)).toBe("ECONNREFUSED");
      expect(forwarding.messages.join("")).toBe(`Port ${silent} of the container is at 127.0.0.1:${port}\n`);
      expect(await processes(container)).toEqual(before);
    });

    test("a client that leaves early takes its relay with it", async () => {
      const container = await shared;
      const forwarding = await forward(container, [await serveEcho(container, "127.0.0.1")]);
      const before = await processes(container);
      const socket = await dial(localPortOf(forwarding));
      const answer = once(socket, "data");
      socket.write("x");
      await answer;
      expect((await processes(container)).length).toBeGreaterThan(before.length);
      socket.resetAndDestroy();
      while ((await processes(container)).length > before.length) await Bun.sleep(20);
      forwarding.interrupt();
      await forwarding.ended;
    });

    test("where nothing listens, the client is broken off and the port named, once", async () => {
      const forwarding = await forward(await shared, [1]);
      const port = localPortOf(forwarding);
      for (let count = 0; count < 2; count += 1) await closed(await dial(port));
      expect(forwarding.messages.slice(1)).toEqual(["warning: Nothing listens on port 1 in the container yet.\n"]);
      forwarding.interrupt();
      await forwarding.ended;
    });

    test("a port that is taken here moves", async () => {
      const container = await shared;
      const port = await serveEcho(container, "127.0.0.1");
      const first = await forward(container, [port]);
      const second = await forward(container, [port]);
      expect(localPortOf(second)).not.toBe(port);
      expect(second.messages).toEqual([
        `Port ${port} of the container is at 127.0.0.1:${localPortOf(second)} (${port} is taken)\n`,
      ]);
      expect((await exchange(localPortOf(second), Buffer.from("hello"))).toString()).toBe("hello");
      for (const { interrupt, ended } of [first, second]) {
        interrupt();
        await ended;
      }
    });

    test("when the container stops, forwarding ends with it", async () => {
      const container = await start();
      const forwarding = await forward(container, [await serveEcho(container, "127.0.0.1")]);
      const socket = await dial(localPortOf(forwarding));
      const answer = once(socket, "data");
      socket.write("x");
      await answer;
      const gone = closed(socket);
      await scene.engine.ask(["kill", container.id]);
      expect(await forwarding.ended).toEqual({ kind: "container-stopped" });
      await gone;
    });

    test("in a container with nothing but a shell, bash passes connections on", async () => {
      const container = await start();
      const port = await serveEcho(container, "127.0.0.1");
      const before = await processes(container);
      await inContainer(container, "rm -f /usr/bin/perl*");
      const forwarding = await forward(container, [port]);
      expect(Bun.hash(await echoed(localPortOf(forwarding), payload))).toBe(Bun.hash(payload));
      forwarding.interrupt();
      await forwarding.ended;
      while ((await processes(container)).length > before.length) await Bun.sleep(20);
      expect(await processes(container)).toEqual(before);
    });

    test("the executable forwards until Ctrl-C, then ends with 130 and nothing alarming", async () => {
      const container = await shared;
      const port = await serveEcho(container, "127.0.0.1");
      const label = `dev.cooper.test=${randomBytes(6).toString("hex")}`;
      const metadata = JSON.stringify([{ forwardPorts: [port] }]);
      const network = ["--network", `container:${container.id}`];
      const other = await start({ args: ["-l", label, "-l", `devcontainer.metadata=${metadata}`, ...network] });
      const before = await processes(other);
      const child = scene.startCooper(["ports", "--forward", "--id-label", label]);
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({
        outcome: "success",
        containerId: other.id,
        ports: [{ port, localPort: port }],
      });
      const socket = await dial(port);
      const answer = once(socket, "data");
      socket.write("x");
      await answer;
      const gone = closed(socket);
      child.kill("SIGINT");
      expect(await child.exited).toBe(130);
      await gone;
      expect((await reader.read()).done).toBe(true);
      expect(await child.stderr.text()).toBe(
        `Port ${port} of the container is at 127.0.0.1:${port}\nPorts are no longer forwarded.\n`,
      );
      expect(await processes(other)).toEqual(before);
    });

    const hasBusybox = enginesWithBusybox.has(name);
    const busyboxTest = hasBusybox ? test : test.skip;
    busyboxTest(`busybox does so too${hasBusybox ? "" : ` (skipped: ${BUSYBOX_IMAGE} is not there)`}`, async () => {
      // Two busyboxes spell it differently; the container stays until the test has run.
      const prepare = "(busybox nc -lk -p 3100 -e cat || busybox nc -ll -p 3100 -e cat) >/dev/null 2>&1 </dev/null &";
      const container = await start({ image: BUSYBOX_IMAGE, prepare });
      const before = await processes(container);
      // Else the server would be reached without busybox's doing.
      const forwarding = await forward({ ...container, networks: [] }, [3100]);
      expect(Bun.hash(await echoed(localPortOf(forwarding), payload))).toBe(Bun.hash(payload));
      forwarding.interrupt();
      await forwarding.ended;
      while ((await processes(container)).length > before.length) await Bun.sleep(20);
      expect(await processes(container)).toEqual(before);
    });

    test("with no program at all that could, that is said at once, and what to do", async () => {
      const container = await start({ prepare: "rm -f /usr/bin/perl* /bin/bash /usr/bin/bash" });
      const elsewhere = { ...container, networks: [], pid: undefined };
      expect(await forward(elsewhere, [3000]).catch(({ message, hint }) => `${message} ${hint}`)).toBe(
        "Ports cannot be forwarded: the container has no program that could pass connections on inside it. " +
          "Install one of perl, python3, ruby, node, bash or busybox in its image: a Feature or a line of the Dockerfile does it.",
      );
    });

    test("ports lists what the configuration names, and what listens; with --forward it tells where each is", async () => {
      const label = `dev.cooper.test=${randomBytes(6).toString("hex")}`;
      const container = await start();
      const port = await serveEcho(container, "127.0.0.1");
      const metadata = [
        { forwardPorts: [port, "db:5432"], portsAttributes: { [port]: { label: "Echo", protocol: "http" } } },
      ];
      const configured = await start({
        args: [
          "-l",
          label,
          "-l",
          `devcontainer.metadata=${JSON.stringify(metadata)}`,
          "--network",
          `container:${container.id}`,
        ],
      });
      const run = (words: readonly string[], { tools }: ReturnType<typeof openTools>) => {
        const all = [...words, "--id-label", label, "--docker-path", engine.path];
        return ports.run(parseFlags(ports.flags, all, ports.positionals), tools);
      };
      const table = openTools();
      expect(await run([], table)).toBe(0);
      expect(table.data.join("")).toBe(
        `PORT     LISTENING  PROTOCOL  LABEL\n${String(port).padEnd(7)}  yes        http      Echo\ndb:5432  unknown\n`,
      );
      const json = openTools();
      expect(await run(["--json"], json)).toBe(0);
      const echo = { host: "localhost", port, label: "Echo", protocol: "http", requireLocalPort: false };
      const db = { host: "db", port: 5432, label: null, protocol: null, requireLocalPort: false };
      expect(JSON.parse(json.data.join(""))).toEqual({
        outcome: "success",
        containerId: configured.id,
        ports: [
          { ...echo, listening: true },
          { ...db, listening: null },
        ],
      });
      const forwarding = openTools();
      const exitCode = run(["--forward"], forwarding);
      while (forwarding.data.length === 0) await Promise.race([exitCode, Bun.sleep(5)]);
      expect(JSON.parse(forwarding.data.join("")).ports).toEqual([
        { ...echo, localAddress: "127.0.0.1", localPort: port, url: `http://127.0.0.1:${port}` },
        { ...db, localAddress: "127.0.0.1", localPort: expect.any(Number), url: null },
      ]);
      expect((await exchange(port, Buffer.from("hello"))).toString()).toBe("hello");
      forwarding.interrupt();
      expect(await exitCode).toBe(130);
      expect(forwarding.messages.join("")).toContain(
        `Port ${port} (Echo) of the container is at http://127.0.0.1:${port}\n`,
      );
      expect(forwarding.messages.at(-1)).toBe("Ports are no longer forwarded.\n");
    });
  });
}
