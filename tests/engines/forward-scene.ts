import { afterAll } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forwardedPorts } from "../../src/devcontainer/forwarded-ports.ts";
import { Interrupted } from "../../src/errors.ts";
import type { Interruption } from "../../src/host/interruption.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import type { ContainerDetails } from "../../src/runtime/container-details.ts";
import { createEngine, type Engine } from "../../src/runtime/engine.ts";
import { inspectContainers } from "../../src/workflows/find-container.ts";
import { type ForwardingEnd, forwardPorts } from "../../src/workflows/forward-ports.ts";
import type { LocalPort } from "../../src/workflows/forward-ports-listen.ts";
import type { Tools } from "../../src/workflows/tools.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, type TestEngine } from "./engines.ts";

/** An echo server that starts in the background, and prints its port once it listens. */
const ECHO_SERVER = `use IO::Socket::INET; $SIG{CHLD} = "IGNORE"; $SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => 0, Listen => 128) or die;
print $listener->sockport; exit if fork; close STDIN; close STDOUT; close STDERR;
while (my $client = $listener->accept) {
  if (fork) { close $client; next }
  while (sysread($client, my $bytes, 65536)) {
    my $at = 0;
    while ($at < length $bytes) { $at += syswrite($client, $bytes, length($bytes) - $at, $at) || exit }
  }
  exit;
}`;

/** Forwarding under way, in this process. */
export interface Forwarding {
  readonly local: readonly LocalPort[];
  readonly messages: readonly string[];
  /** What Ctrl-C does. */
  readonly interrupt: () => void;
  readonly ended: Promise<ForwardingEnd>;
}

/** Containers with servers in them, gone when the file's tests have run. */
export interface ForwardScene {
  readonly engine: Engine;
  readonly start: (options?: {
    image?: string;
    args?: readonly string[];
    prepare?: string;
  }) => Promise<ContainerDetails>;
  /** Starts an echo server; resolves to its port. */
  readonly serveEcho: (container: ContainerDetails, address: string) => Promise<number>;
  /** The processes in a container, dead ones too, but those that ask. */
  readonly processes: (container: ContainerDetails) => Promise<readonly string[]>;
  readonly inContainer: (container: ContainerDetails, script: string) => Promise<string>;
  readonly forward: (container: ContainerDetails, ports: readonly (number | string)[]) => Promise<Forwarding>;
  /** Starts the compiled executable, which goes on until it is told to end. */
  readonly startCooper: (args: readonly string[]) => Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** Tools that run processes, keep what is printed, and can be interrupted. */
  readonly openTools: () => OpenTools;
}

/** Tools of one run. */
export interface OpenTools {
  readonly tools: Tools;
  readonly data: readonly string[];
  readonly messages: readonly string[];
  readonly interrupt: () => void;
}

/** A scene on an engine. */
export function openForwardScene(testEngine: TestEngine): ForwardScene {
  const environment = { ...Bun.env, ...testEngine.env };
  const { signal } = new AbortController();
  const engine = createEngine(testEngine.path, createRunProcess(environment, { signal }));
  const started: string[] = [];
  const directory = mkdtempSync(join(tmpdir(), "cooper-ports-"));
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    // Podman keeps a container whose network a later one uses, and would first wait for what ignores SIGTERM.
    const ids = started.toReversed();
    if (ids.length === 0) return;
    await askEngine(testEngine, ["kill", ...ids]);
    for (const id of ids) await runEngine(testEngine, ["rm", "--force", "--volumes", id]);
  });
  const openTools = (): OpenTools => {
    const controller = new AbortController();
    const interruption: Interruption = { signal: controller.signal };
    const { tools, data, messages } = recordingTools(directory);
    const runProcess = createRunProcess(environment, interruption);
    return {
      tools: { ...tools, environment: { ...environment, XDG_STATE_HOME: directory }, runProcess, interruption },
      data,
      messages,
      interrupt: () => controller.abort(new Interrupted("SIGINT")),
    };
  };
  const inContainer = (container: ContainerDetails, script: string) =>
    runEngine(testEngine, ["exec", container.id, "sh", "-c", script]);
  return {
    engine,
    inContainer,
    openTools,
    startCooper: (args) =>
      Bun.spawn([Bun.env["COOPER_TEST_BINARY"] ?? join(import.meta.dir, "..", "..", "dist", "cooper"), ...args], {
        env: { ...environment, COOPER_DOCKER_PATH: testEngine.path, NO_COLOR: "1", XDG_STATE_HOME: directory },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      }),
    async start({ image = BASE_IMAGE, args = [], prepare } = {}) {
      const name = `cooper-ports-${randomBytes(6).toString("hex")}`;
      const id = (await runEngine(testEngine, ["run", "-d", "--name", name, ...args, image, "sleep", "600"])).trim();
      started.push(id);
      const [details] = await inspectContainers(engine, [id]);
      if (details === undefined) throw new Error(`there is no container ${id}`);
      if (prepare !== undefined) await inContainer(details, prepare);
      return details;
    },
    async serveEcho({ id }, address) {
      return Number(await runEngine(testEngine, ["exec", id, "perl", "-e", ECHO_SERVER, address]));
    },
    async processes(container) {
      const script = 'for p in /proc/[0-9]*; do read -r line <$p/stat && echo "$line"; done 2>/dev/null';
      const lines = (await inContainer(container, script)).split("\n").map((line) => line.split(" "));
      // The shell that asks is the last one, and the engine's own helper may not have left yet.
      return lines
        .filter(([pid, name]) => pid !== undefined && pid !== "" && name !== "(sh)" && !/runc|conmon/.test(name ?? ""))
        .map(([pid, name, state]) => `${pid} ${name} ${state === "Z" ? "Z" : ""}`.trim())
        .sort();
    },
    async forward(container, ports) {
      const { tools, messages, interrupt } = openTools();
      const request = {
        engine,
        container,
        ports: forwardedPorts({ forwardPorts: ports, portsAttributes: {}, otherPortsAttributes: undefined }),
      };
      const ready = Promise.withResolvers<readonly LocalPort[]>();
      const ended = forwardPorts(request, ready.resolve, tools);
      ended.catch(ready.reject);
      return { local: await ready.promise, messages, interrupt, ended };
    },
  };
}

/** The port of this machine for the forwarding's port at an index. */
export function localPortOf({ local }: Forwarding, index = 0): number {
  const port = local[index]?.localPort;
  if (port === undefined) throw new Error(`no port at ${index}`);
  return port;
}

/** A connection to a port of this machine; what breaks it is told by `close`. */
export async function dial(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  return socket;
}

/** Sends all of it, ends, and gives what came back until the server's end. */
export async function exchange(port: number, payload: Uint8Array): Promise<Buffer> {
  const socket = await dial(port);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    socket.on("end", resolve);
    socket.on("close", () => reject(new Error(`broken off after ${Buffer.concat(chunks).length} bytes`)));
  });
  socket.end(payload);
  await ended;
  return Buffer.concat(chunks);
}

/** Resolves when the other side has closed or broken the connection. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve());
    socket.resume();
  });
}
