import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import type { Fetch, HttpRequest } from "../../src/host/fetch.ts";
import { followRedirects } from "../../src/registry/redirects.ts";

/** Answers by address: hosts of the internet, TLS included, cannot be had in a test. */
function webOf(answers: Readonly<Record<string, string | { status: number; headers?: Record<string, string> }>>) {
  const seen: HttpRequest[] = [];
  const fetch: Fetch = async (request) => {
    seen.push(request);
    const answer = answers[request.url] ?? { status: 404 };
    if (typeof answer === "string") return new Response(null, { status: 307, headers: { location: answer } });
    return new Response("body", { status: answer.status, headers: answer.headers ?? {} });
  };
  return { get: followRedirects(fetch), seen };
}

const start = "https://registry.example/v2/blob";
const headers = { accept: "a/b", authorization: "Bearer secret", "x-private": "1" };

test("a redirect on the same origin keeps every header", async () => {
  const { get, seen } = webOf({ [start]: "/v2/other", "https://registry.example/v2/other": { status: 200 } });
  expect((await get({ url: start, headers })).status).toBe(200);
  expect(seen[1]).toEqual({ url: "https://registry.example/v2/other", headers });
});

test.each(["https://cdn.example/x?sig=1", "https://registry.example:8443/x", "https://sub.registry.example/x"])(
  "a redirect to %s keeps only what is wanted, not who asks",
  async (elsewhere) => {
    const { get, seen } = webOf({ [start]: elsewhere, [elsewhere]: { status: 200 } });
    await get({ url: start, headers });
    expect(seen[1]).toEqual({ url: elsewhere, headers: { accept: "a/b" } });
  },
);

test("a redirect back does not bring the credential back", async () => {
  const { get, seen } = webOf({
    [start]: "https://cdn.example/x",
    "https://cdn.example/x": "https://registry.example/y",
    "https://registry.example/y": { status: 200 },
  });
  await get({ url: start, headers });
  expect(seen.map((request) => request.headers?.["authorization"])).toEqual(["Bearer secret", undefined, undefined]);
});

test.each([
  ["plain HTTP", "http://registry.example/x"],
  ["plain HTTP on this machine", "http://localhost:5000/x"],
  ["a file", "file:///etc/passwd"],
  ["a login in the address", "https://user:secret@cdn.example/x"],
  ["itself for ever", start],
])("a redirect to %s is refused without showing the address", async (_, location) => {
  const failure = await webOf({ [start]: location })
    .get({ url: start, headers })
    .catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(UserError);
  expect(String(failure)).not.toContain("secret");
});

test("a plain registry on this machine redirects to this machine or to TLS, not to plain HTTP elsewhere", async () => {
  const local = "http://localhost:5000/v2/blob";
  const follow = async (location: string) => {
    const { get } = webOf({ [local]: location, [location]: { status: 200 } });
    return (await get({ url: local })).status;
  };
  expect(await follow("http://127.0.0.1:9000/x")).toBe(200);
  expect(await follow("https://cdn.example/x")).toBe(200);
  await expect(follow("http://cdn.example/x")).rejects.toThrow("over plain HTTP");
});

test("another server's challenge is not passed on", async () => {
  const challenge = { status: 401, headers: { "www-authenticate": "Basic realm=evil" } };
  const { get } = webOf({ [start]: "https://evil.example/x", "https://evil.example/x": challenge });
  const response = await get({ url: start });
  expect([response.status, response.headers.get("www-authenticate"), await response.text()]).toEqual([
    401,
    null,
    "body",
  ]);
  const { get: direct } = webOf({ [start]: challenge });
  expect((await direct({ url: start })).headers.get("www-authenticate")).toBe("Basic realm=evil");
});

test("what changes something is not redirected", async () => {
  const { get, seen } = webOf({ [start]: "https://cdn.example/x" });
  expect((await get({ url: start, method: "POST", body: "secret" })).status).toBe(307);
  expect(seen).toHaveLength(1);
});
