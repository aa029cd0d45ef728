import { afterEach, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type Connection, ConnectionBroken } from "../../src/host/connection.ts";
import { type DuplexProcess, startDuplex } from "../../src/host/duplex-process.ts";
import { RELAY_TOOLS, type RelayTool, relayCommand, relayWords, speaksInFrames } from "../../src/runtime/relay.ts";
import { framedRelayConnection, plainRelayConnection } from "../../src/runtime/relay-connection.ts";
import { NOTHING_LISTENS } from "../../src/runtime/relay-programs.ts";
import { readRelaySurvey, SURVEY_SCRIPT } from "../../src/runtime/relay-survey.ts";

const LOOPBACK = ["127.0.0.1", "::1"];
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serve(onSocket: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    cleanups.push(() => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  cleanups.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A relay of this machine instead of a container: its words are the same. */
function startRelay(tool: RelayTool, port: number): { process: DuplexProcess; connection: Connection } {
  const [file = "", ...args] = relayWords(tool, { hosts: LOOPBACK, port });
  const process = startDuplex({ file, args, env: {} }, Bun.env);
  cleanups.push(process.kill);
  return { process, connection: speaksInFrames(tool) ? framedRelayConnection(process) : plainRelayConnection(process) };
}

async function readAll({ read }: Connection): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let bytes = await read(); bytes !== undefined; bytes = await read()) chunks.push(bytes);
  return Buffer.concat(chunks);
}

async function readUntil({ read }: Connection, length: number): Promise<Buffer> {
  let all = Buffer.alloc(0);
  while (all.length < length) {
    const bytes = await read();
    if (bytes === undefined) break;
    all = Buffer.concat([all, bytes]);
  }
  return all;
}

const payload = Buffer.alloc(5 * 1024 * 1024);
for (let at = 0; at < payload.length; at += 65536) crypto.getRandomValues(payload.subarray(at, at + 65536));

async function writePayload(connection: Connection): Promise<void> {
  for (let at = 0; at < payload.length; at += 100_000) await connection.write(payload.subarray(at, at + 100_000));
}

for (const tool of RELAY_TOOLS) {
  const group = Bun.which(tool) === null ? describe.skip : describe;
  group(Bun.which(tool) === null ? `${tool} (skipped: it is not on PATH)` : tool, () => {
    test("five megabytes come back from an echo as they were sent", async () => {
      const { connection, process } = startRelay(tool, await serve((socket) => socket.pipe(socket)));
      const [, back] = await Promise.all([writePayload(connection), readUntil(connection, payload.length)]);
      expect(Bun.hash(back)).toBe(Bun.hash(payload));
      connection.abort();
      await process.exited;
    });

    test("the server's end is told although the client could go on", async () => {
      const { connection } = startRelay(tool, await serve((socket) => socket.end("bye")));
      expect((await readAll(connection)).toString()).toBe("bye");
    });

    test("a server on ::1 alone is found", async () => {
      const { connection } = startRelay(tool, await serve((socket) => socket.end("six"), "::1"));
      expect((await readAll(connection)).toString()).toBe("six");
    });

    test("where nothing listens, it ends and says so by its exit code", async () => {
      const { connection, process } = startRelay(tool, 1);
      expect(await connection.read().catch((error: unknown) => error)).toBeInstanceOf(ConnectionBroken);
      expect((await process.exited).exitCode).toBe(NOTHING_LISTENS);
    });

    test("when its input ends it is gone, and the server learns of it, although that says nothing", async () => {
      const { promise: left, resolve } = Promise.withResolvers<void>();
      const { connection, process } = startRelay(
        tool,
        await serve((socket) => {
          socket.write("hello");
          socket.resume().on("end", resolve);
        }),
      );
      expect((await readUntil(connection, 5)).toString()).toBe("hello");
      connection.abort();
      await Promise.all([left, process.exited]);
    });
  });

  if (!speaksInFrames(tool)) continue;
  group(Bun.which(tool) === null ? `${tool} (skipped: it is not on PATH)` : `${tool}, ways apart`, () => {
    test("the client's end is told, and the answer to it comes back", async () => {
      const port = await serve((socket) => {
        let count = 0;
        socket.on("data", (bytes) => {
          count += bytes.length;
        });
        socket.on("end", () => socket.end(`${count} bytes`));
      });
      const { connection, process } = startRelay(tool, port);
      await writePayload(connection);
      await connection.end();
      expect((await readAll(connection)).toString()).toBe(`${payload.length} bytes`);
      expect((await process.exited).exitCode).toBe(0);
    });

    test("a server that ends its way first still gets all that comes", async () => {
      const { promise: heard, resolve } = Promise.withResolvers<number>();
      const port = await serve((socket) => {
        socket.end("early");
        let count = 0;
        socket.on("data", (bytes) => {
          count += bytes.length;
        });
        socket.on("end", () => resolve(count));
      });
      const { connection, process } = startRelay(tool, port);
      expect((await readAll(connection)).toString()).toBe("early");
      await writePayload(connection);
      await connection.end();
      expect(await heard).toBe(payload.length);
      expect((await process.exited).exitCode).toBe(0);
    });

    test("a server that resets the connection is not mistaken for one that ended it", async () => {
      const port = await serve((socket) => void socket.on("data", () => socket.resetAndDestroy()));
      const { connection } = startRelay(tool, port);
      await connection.write(Buffer.from("hello"));
      expect(await connection.read().catch((error: unknown) => error)).toBeInstanceOf(ConnectionBroken);
    });
  });
}

test("the survey finds a tool of this machine, and a port that is listened on", async () => {
  const port = await serve(() => {});
  const process = startDuplex({ file: "sh", args: ["-c", SURVEY_SCRIPT], env: {} }, Bun.env);
  process.stdin.end();
  const { tool, listening } = readRelaySurvey(await new Response(process.stdout).text());
  expect(tool).toBe(RELAY_TOOLS.find((name) => Bun.which(name) !== null));
  expect(listening?.has(port)).toBe(true);
});

test("a relay is run by the engine in the container's root folder", () => {
  const place = { enginePath: "podman", containerId: "abc" };
  const { file, args } = relayCommand(place, "bash", { hosts: ["db"], port: 5432 });
  expect(file).toBe("podman");
  expect(args.slice(0, 8)).toEqual(["exec", "-i", "--detach-keys=", "-w", "/", "abc", "bash", "-p"]);
  expect(args.slice(-3)).toEqual(["relay", "5432", "db"]);
});
