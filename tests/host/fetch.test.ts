import { afterAll, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { Interrupted, UserError } from "../../src/errors.ts";
import { createFetch, type FetchOptions } from "../../src/host/fetch.ts";
import { NetworkError } from "../../src/host/network-error.ts";

const web = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/redirect") return new Response(null, { status: 307, headers: { location: "/elsewhere" } });
    if (pathname === "/compressed") {
      return new Response(Bun.gzipSync("hello"), { headers: { "content-encoding": "gzip" } });
    }
    if (pathname === "/empty") return new Response(null, { status: 204 });
    return Response.json(Object.fromEntries(request.headers));
  },
});

/** A server that answers with raw bytes and then hangs up, for answers that a web server would not give. */
async function rawServer(answer: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("expected a port");
  return { url: `http://127.0.0.1:${address.port}/secret?token=secret`, host: `127.0.0.1:${address.port}`, server };
}

afterAll(() => web.stop(true));

function fetchWith(options: Partial<FetchOptions> = {}) {
  return createFetch({ environment: {}, userAgent: "cooper/test", ...options });
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

test("a request says who asks and wants the bytes as they are", async () => {
  const response = await fetchWith()({ url: web.url.href, headers: { accept: "a/b" } });
  expect(await response.json()).toMatchObject({
    "user-agent": "cooper/test",
    "accept-encoding": "identity",
    accept: "a/b",
  });
});

test("a body that a server compressed all the same is passed on unchanged", async () => {
  const response = await fetchWith()({ url: `${web.url.href}compressed` });
  expect(new TextDecoder().decode(Bun.gunzipSync(await response.arrayBuffer()))).toBe("hello");
});

test("redirects and empty answers are given back as they are", async () => {
  const redirect = await fetchWith()({ url: `${web.url.href}redirect` });
  expect([redirect.status, redirect.headers.get("location")]).toEqual([307, "/elsewhere"]);
  const empty = await fetchWith()({ url: `${web.url.href}empty` });
  expect([empty.status, await empty.text()]).toEqual([204, ""]);
});

test.each(["file:///etc/passwd", "data:text/plain,x", "s3://bucket/key", "blob:x", "no address"])(
  "%s is never read",
  async (url) => {
    const failure = await failureOf(fetchWith()({ url }));
    expect(failure).toBeInstanceOf(UserError);
  },
);

test("a refused connection names the host and never the rest of the address", async () => {
  const { url, host, server } = await rawServer(() => undefined);
  await new Promise((resolve) => server.close(resolve));
  const failure = await failureOf(fetchWith()({ url }));
  expect(failure).toMatchObject({ message: `Could not reach ${host}: connection refused.`, transient: false });
});

test("a host that hangs up without an answer may be asked again", async () => {
  const { url, host, server } = await rawServer((socket) => socket.destroy());
  const failure = await failureOf(fetchWith()({ url }));
  server.close();
  expect(failure).toMatchObject({
    message: `Could not reach ${host}: the connection was closed before the answer was complete.`,
    transient: true,
  });
});

test("an answer that ends too early fails while it is read", async () => {
  const { url, host, server } = await rawServer((socket) => {
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
  });
  const response = await fetchWith()({ url });
  const failure = await failureOf(response.bytes());
  server.close();
  expect(failure).toBeInstanceOf(NetworkError);
  expect(failure).toMatchObject({
    message: `Could not reach ${host}: the connection was closed before the answer was complete.`,
  });
});

test("a host that never answers is given up", async () => {
  const { url, host, server } = await rawServer(() => undefined);
  const failure = await failureOf(fetchWith({ answerTimeout: 20 })({ url }));
  server.close();
  expect(failure).toMatchObject({ message: `Could not reach ${host}: it stopped answering.`, transient: true });
});

test("an interruption ends a request with its own reason", async () => {
  const controller = new AbortController();
  const { url, server } = await rawServer(() => controller.abort(new Interrupted("SIGINT")));
  const failure = await failureOf(fetchWith({ signal: controller.signal })({ url }));
  server.close();
  expect(failure).toBeInstanceOf(Interrupted);
});

test("an interruption ends an answer that is being read", async () => {
  const controller = new AbortController();
  const { url, server } = await rawServer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
  });
  const response = await fetchWith({ signal: controller.signal })({ url });
  controller.abort(new Interrupted("SIGINT"));
  const failure = await failureOf(response.bytes());
  server.close();
  expect(failure).toBeInstanceOf(Interrupted);
});

test("this machine's loopback is not reached through a proxy", async () => {
  const { HTTP_PROXY, http_proxy } = process.env;
  const { host, server } = await rawServer((socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
  Object.assign(process.env, { HTTP_PROXY: `http://${host}`, http_proxy: `http://${host}` });
  try {
    expect((await fetchWith()({ url: web.url.href })).status).toBe(200);
    expect((await fetchWith()({ url: "http://registry.invalid/" })).status).toBe(502);
  } finally {
    restore("HTTP_PROXY", HTTP_PROXY);
    restore("http_proxy", http_proxy);
    server.close();
  }
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

test("a body in chunks is sent with its length, and opened anew for every request", async () => {
  let opened = 0;
  const body = {
    size: 6,
    open: () => {
      opened += 1;
      return chunksOf("abc", "def");
    },
  };
  const echo = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) =>
      Response.json({ text: await request.text(), length: request.headers.get("content-length") }),
  });
  try {
    const fetch = fetchWith();
    for (const count of [1, 2]) {
      const response = await fetch({ method: "PUT", url: echo.url.href, body });
      expect(await response.json()).toEqual({ text: "abcdef", length: "6" });
      expect(opened).toBe(count);
    }
  } finally {
    await echo.stop(true);
  }
});

test("what a body's source throws is not taken for the server's fault", async () => {
  const gone = new UserError("The file went away.");
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* chunksOf("abc");
    throw gone;
  }
  const { url, server } = await rawServer(() => undefined);
  const request = { method: "PUT", url, body: { size: 6, open: broken } } as const;
  expect(await failureOf(fetchWith()(request))).toBe(gone);
  server.close();
});

test("a server that answers before the end of a body is heard, and the source is let go", async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(65_536);
    } finally {
      end();
    }
  }
  const refusing = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(null, { status: 413 }) });
  try {
    const body = { size: 1_000_000_000, open: endless };
    expect((await fetchWith()({ method: "PUT", url: refusing.url.href, body })).status).toBe(413);
    await ended;
  } finally {
    await refusing.stop(true);
  }
});
