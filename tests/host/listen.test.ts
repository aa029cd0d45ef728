import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { connect } from "../../src/host/connect.ts";
import { type Connection, ConnectionBroken, joinConnections } from "../../src/host/connection.ts";
import { type Listener, listenOnLoopback } from "../../src/host/listen.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function listen(port: number, onConnection: (connection: Connection) => void): Listener {
  const listener = listenOnLoopback(port, onConnection);
  if (typeof listener !== "object") throw new Error(`port ${port}: ${listener}`);
  cleanups.push(listener.stop);
  return listener;
}

async function serve(onSocket: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, onSocket);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function connected(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  cleanups.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function accepted(): Promise<{ readonly client: Socket; readonly connection: Connection }> {
  const { promise, resolve } = Promise.withResolvers<Connection>();
  const client = await connected(listen(0, resolve).port);
  return { client, connection: await promise };
}

async function reach(port: number): Promise<Connection> {
  const connection = await connect("127.0.0.1", port, { timeoutMilliseconds: 10_000 });
  if (typeof connection !== "object") throw new Error(connection);
  return connection;
}

/** All that comes; the socket may be written to afterwards. */
function collect(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  socket.on("end", () => resolve(Buffer.concat(chunks)));
  return promise;
}

test("five megabytes go through a listener and a connection and back, each byte in its place, and the end with them", async () => {
  const echo = await serve((socket) => socket.pipe(socket));
  const joined = Promise.withResolvers<void>();
  const { port } = listen(0, async (client) => {
    joinConnections(client, await reach(echo), { lingerMilliseconds: 60_000 }).then(joined.resolve, joined.reject);
  });
  const sent = Buffer.from(crypto.getRandomValues(new Uint8Array(65536)));
  const payload = Buffer.concat(Array.from({ length: 80 }, (_, index) => Buffer.concat([sent, Buffer.from([index])])));
  const client = await connected(port);
  client.end(payload);
  expect(Bun.hash(await collect(client))).toBe(Bun.hash(payload));
  await joined.promise;
});

test("a server that ends its way first still gets what the client has to say", async () => {
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  const server = await serve((socket) => {
    socket.end("hello");
    collect(socket).then((bytes) => resolve(bytes.toString()));
  });
  const { port } = listen(0, async (client) => {
    await joinConnections(client, await reach(server), { lingerMilliseconds: 60_000 });
  });
  const client = await connected(port);
  expect((await collect(client)).toString()).toBe("hello");
  client.end("late words");
  expect(await heard).toBe("late words");
});

test("a client that says nothing more and does not leave is broken off some time after the server's end", async () => {
  const server = await serve((socket) => socket.end("bye"));
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  const { port } = listen(0, async (client) => {
    joinConnections(client, await reach(server), { lingerMilliseconds: 1 }).catch(resolve);
  });
  const client = await connected(port);
  client.resume();
  expect(await ended).toBeInstanceOf(ConnectionBroken);
});

test("writing waits for a reader that is slow", async () => {
  const { client, connection } = await accepted();
  client.pause();
  let written = false;
  const writing = connection.write(new Uint8Array(64 * 1024 * 1024)).then(() => {
    written = true;
  });
  await Promise.race([writing, once(client, "readable")]);
  expect(written).toBe(false);
  client.resume();
  await writing;
});

test("what was sent before the end is read after it", async () => {
  const { client, connection } = await accepted();
  client.end("last words");
  expect(Buffer.from((await connection.read()) ?? []).toString()).toBe("last words");
  expect(await connection.read()).toBeUndefined();
});

test("a client that resets the connection makes reading fail", async () => {
  const { client, connection } = await accepted();
  const reading = connection.read();
  client.resetAndDestroy();
  expect(await reading.catch((error: unknown) => error)).toBeInstanceOf(ConnectionBroken);
  expect(await connection.write(new Uint8Array(1)).catch((error: unknown) => error)).toBeInstanceOf(ConnectionBroken);
});

test("breaking a connection off ends what waits on it, on both sides", async () => {
  const { client, connection } = await accepted();
  const reading = connection.read();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  client.on("close", () => resolve());
  connection.abort();
  expect(await reading.catch((error: unknown) => error)).toBeInstanceOf(ConnectionBroken);
  await closed;
});

test("a port that somebody listens on is taken, on whatever address", async () => {
  const { port } = listen(0, () => {});
  expect(listenOnLoopback(port, () => {})).toBe("taken");
  const everywhere = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
  cleanups.push(() => everywhere.stop(true));
  expect(listenOnLoopback(everywhere.port, () => {})).toBe("taken");
});

test("a port that nobody listens on refuses", async () => {
  const { port, stop } = listen(0, () => {});
  stop();
  expect(await connect("127.0.0.1", port, { timeoutMilliseconds: 10_000 })).toBe("refused");
});
