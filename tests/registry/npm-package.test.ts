import { afterAll, beforeEach, expect, test } from "bun:test";
import { createFetch } from "../../src/host/fetch.ts";
import { openNpmTarball, readNpmPackage } from "../../src/registry/npm-package.ts";

let answers: ((request: Request) => Response)[] = [];
const asked: { path: string; authorization: string | null }[] = [];
const answer = (request: Request) => {
  asked.push({ path: new URL(request.url).pathname, authorization: request.headers.get("authorization") });
  return answers.shift()?.(request) ?? new Response("no more", { status: 404 });
};
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
afterAll(() => Promise.all([server.stop(true), other.stop(true)]));
beforeEach(() => {
  answers = [];
  asked.length = 0;
});

const ports = {
  registry: { url: `${server.url}`, token: "secret" },
  fetch: createFetch({ environment: {}, userAgent: "test" }),
  retry: { sleep: async () => {}, now: Date.now, attempts: 3 },
};
const document = {
  "dist-tags": { latest: "1.0.0" },
  versions: {
    "1.0.0": { dist: { tarball: "http://x/a.tgz", integrity: "sha512-a" } },
    "0.9.0": { dist: { tarball: "http://x/b.tgz" } },
  },
};

test("a fake registry that is busy is asked again, with the token, for the scoped name in one part", async () => {
  answers = [() => new Response("", { status: 503 }), () => Response.json(document)];
  const read = await readNpmPackage("@a/b", ports);
  expect(read).toEqual({
    latest: "1.0.0",
    versions: {
      "1.0.0": { url: "http://x/a.tgz", integrity: "sha512-a" },
      "0.9.0": { url: "http://x/b.tgz", integrity: "" },
    },
  });
  expect(asked).toEqual([
    { path: "/@a%2fb", authorization: "Bearer secret" },
    { path: "/@a%2fb", authorization: "Bearer secret" },
  ]);
});

test.each([
  [404, "name another registry"],
  [401, "npm login"],
  [500, "Try again later"],
])("a fake registry's %p is told with what to do", async (status, hint) => {
  answers = [1, 2, 3].map(() => () => new Response("", { status }));
  await expect(readNpmPackage("a", ports)).rejects.toMatchObject({
    message: expect.stringContaining(`answered ${status} when asked for the package a.`),
    hint: expect.stringContaining(hint),
  });
});

test("what is no package's document is refused", async () => {
  answers = [() => new Response("<html>")];
  await expect(readNpmPackage("a", ports)).rejects.toThrow("Could not read what ");
});

test("the token goes to the registry alone, not to where an archive lies or leads", async () => {
  answers = [() => new Response("bytes")];
  await openNpmTarball({ url: `${other.url}a.tgz`, integrity: "" }, ports);
  answers = [
    () => new Response("", { status: 302, headers: { location: `${other.url}b.tgz` } }),
    () => new Response("bytes"),
  ];
  await openNpmTarball({ url: `${server.url}b.tgz`, integrity: "" }, ports);
  expect(asked.map(({ authorization }) => authorization)).toEqual([null, "Bearer secret", null]);
});

test("an archive whose connection to a fake server breaks comes whole, from where it broke", async () => {
  const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
  const ranges: (string | null)[] = [];
  const firstPart = 50_000;
  let received = 0;
  const breaking = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: async (socket, request) => {
        const range = /range: bytes=(\d+)-/i.exec(request.toString())?.[1] ?? null;
        ranges.push(range);
        const offset = Number(range ?? 0);
        const status = range === null ? "200 OK" : "206 Partial Content";
        const place = range === null ? "" : `content-range: bytes ${offset}-${bytes.length - 1}/${bytes.length}\r\n`;
        socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${bytes.length - offset}\r\n${place}\r\n`);
        socket.write(range === null ? bytes.subarray(0, firstPart) : bytes.subarray(offset));
        // What a broken connection had on its way is lost.
        while (range === null && received < firstPart) await Bun.sleep(1);
        socket.end();
      },
    },
  });
  try {
    const url = `http://127.0.0.1:${breaking.port}/a.tgz`;
    const { size, chunks } = await openNpmTarball({ url, integrity: "" }, ports);
    expect(size).toBe(bytes.length);
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) {
      parts.push(chunk);
      received += chunk.length;
    }
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    expect(ranges).toEqual([null, String(firstPart)]);
  } finally {
    breaking.stop(true);
  }
});
