import { afterEach, expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { createFetch, type Fetch, type HttpRequest } from "../../src/host/fetch.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import type { Credential } from "../../src/registry/credential.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";
import type { Fault } from "../fakes/registry-faults.ts";

const started: FakeRegistry[] = [];
afterEach(() => Promise.all(started.splice(0).map((registry) => registry.stop())));

function start(options?: Parameters<typeof startFakeRegistry>[0]): FakeRegistry {
  const registry = startFakeRegistry(options);
  started.push(registry);
  return registry;
}

const login: Credential = { kind: "basic", username: "ci", password: "my-secret" };
const encodedLogin = btoa("ci:my-secret");
const realFetch = createFetch({ environment: {}, userAgent: "cooper/test" });

function clientWith(fetch: Fetch = realFetch, credential: Credential | undefined = login) {
  return createRegistryClient({
    fetch,
    findCredential: async () => ({ credential, source: "a file", places: ["a file"] }),
    retry: { sleep: async () => undefined, now: () => 0 },
  });
}

/** Answers for hosts of the internet, which a test cannot have. */
function webOf(answer: (request: HttpRequest) => Response): { fetch: Fetch; seen: HttpRequest[] } {
  const seen: HttpRequest[] = [];
  return {
    seen,
    fetch: async (request) => {
      seen.push(request);
      return answer(request);
    },
  };
}

function challenge(realm: string): Response {
  return new Response(null, { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}",service="s"` } });
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

test.each<[string, Fault]>([
  ["is cut short", { kind: "truncate", bytes: 3 }],
  ["is empty", { kind: "truncate", bytes: 0 }],
  ["was changed", { kind: "alter" }],
  ["goes on after its end", { kind: "lengthen", bytes: 1 }],
])("a blob that %s is never given out", async (_, fault) => {
  const registry = start();
  const descriptor = { ...registry.putBlob("acme/dev", "content"), annotations: {} };
  registry.faults.add(/blobs/, fault);
  const reference = parseImageReference(`${registry.host}/acme/dev`);
  await expect(clientWith().blob(reference, descriptor)).rejects.toThrow(
    `Digest did not match for ${registry.host}/acme/dev.`,
  );
});

test("a blob that never ends is left after as many bytes as it was to have", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1000;
      controller.enqueue(new Uint8Array(1000));
    },
  });
  const { fetch } = webOf(() => new Response(endless));
  const descriptor = { mediaType: "x/y", digest: sha256Of("x"), size: 2500, annotations: {} };
  const reference = parseImageReference("registry.example/acme/dev");
  await expect(clientWith(fetch).blob(reference, descriptor)).rejects.toThrow("Digest did not match");
  expect(sent).toBeLessThan(10_000);
});

test("a manifest that is not what its digest or its server says is refused", async () => {
  const registry = start();
  const { digest } = registry.putImage("acme/dev", "1");
  const other = registry.putImage("acme/dev", "2", { platform: "linux/arm64" });
  const swapped = await (await fetchManifest(registry, "2")).text();
  for (const [name, headers] of [
    [`acme/dev@${digest}`, {}],
    ["acme/dev:1", { "docker-content-digest": digest }],
  ] as const) {
    registry.faults.add(/manifests/, { kind: "status", status: 200, headers, body: swapped });
    const reference = parseImageReference(`${registry.host}/${name}`);
    await expect(clientWith().manifest(reference)).rejects.toThrow(
      `Digest did not match for ${registry.host}/acme/dev.`,
    );
  }
  expect(other.digest).not.toBe(digest);
});

function fetchManifest(registry: FakeRegistry, tag: string): Promise<Response> {
  return realFetch({ url: `http://${registry.host}/v2/acme/dev/manifests/${tag}` });
}

test("a manifest without end is not read to its end", async () => {
  const { fetch } = webOf(() => new Response(" ".repeat(5 * 1024 * 1024)));
  const failure = await failureOf(clientWith(fetch).manifest(parseImageReference("registry.example/acme/dev")));
  expect(failure).toMatchObject({ message: expect.stringContaining("is too large") });
});

test("a login or token does not follow a redirect to another host", async () => {
  const elsewhere = start();
  const descriptor = { ...elsewhere.putBlob("acme/dev", "content"), annotations: {} };
  for (const kind of ["basic", "bearer"] as const) {
    const registry = start({ auth: { kind, username: "ci", password: "my-secret" } });
    registry.putImage("acme/dev", "1");
    const location = `http://${elsewhere.host}/v2/acme/dev/blobs/${descriptor.digest}`;
    const client = clientWith();
    const reference = parseImageReference(`${registry.host}/acme/dev:1`);
    await client.manifest(reference);
    registry.faults.add(/blobs/, { kind: "status", status: 307, headers: { location } });
    expect(await client.blob(reference, descriptor)).toHaveLength(7);
    expect(registry.requests.at(-1)?.headers["authorization"]).toBeString();
  }
  expect(elsewhere.requests).toHaveLength(2);
  expect(elsewhere.requests.map(({ headers }) => headers["authorization"])).toEqual([undefined, undefined]);
});

test("a server that was only redirected to cannot ask for the login", async () => {
  const { fetch, seen } = webOf(({ url }) => {
    if (url.startsWith("https://registry.example/")) {
      return new Response(null, { status: 307, headers: { location: "https://evil.example/x" } });
    }
    return challenge("https://evil.example/token");
  });
  await failureOf(clientWith(fetch).manifest(parseImageReference("registry.example/acme/dev")));
  expect(seen.map(({ url }) => new URL(url).host)).toEqual(["registry.example", "evil.example"]);
  expect(JSON.stringify(seen)).not.toContain(encodedLogin);
});

test.each([
  ["over plain HTTP", "http://auth.example/token"],
  ["over plain HTTP on this machine", "http://localhost:9/token"],
  ["with another login in its address", "https://a:b@auth.example/token"],
  ["that is a file", "file:///etc/passwd"],
  ["that is no address", "token"],
])("a token server %s gets nothing", async (_, realm) => {
  const { fetch, seen } = webOf(() => challenge(realm));
  const failure = await failureOf(clientWith(fetch).manifest(parseImageReference("registry.example/acme/dev")));
  expect(failure).toBeInstanceOf(UserError);
  expect(seen).toHaveLength(1);
});

test("a plain registry on this machine may name a token server on this machine, and no other plain one", async () => {
  const tokens = start({ auth: { kind: "bearer", username: "ci", password: "my-secret" } });
  const { fetch, seen } = webOf(() => challenge("http://auth.example/token"));
  await failureOf(clientWith(fetch).manifest(parseImageReference("localhost:5000/acme/dev")));
  expect(seen).toHaveLength(1);
  tokens.putImage("acme/dev", "1");
  expect((await clientWith().manifest(parseImageReference(`${tokens.host}/acme/dev:1`))).manifest.kind).toBe("image");
});

test("over TLS a registry may name a token server on another host, as Docker Hub does", async () => {
  const manifest = JSON.stringify({ schemaVersion: 2, manifests: [] });
  const { fetch, seen } = webOf(({ url, headers }) => {
    if (url.startsWith("https://auth.docker.io/token")) return Response.json({ token: "access" });
    return headers?.["authorization"] === "Bearer access"
      ? new Response(manifest)
      : challenge("https://auth.docker.io/token");
  });
  await clientWith(fetch).manifest(parseImageReference("debian"));
  expect(seen.map(({ url, headers }) => [url, headers?.["authorization"]])).toEqual([
    ["https://registry-1.docker.io/v2/library/debian/manifests/latest", undefined],
    ["https://auth.docker.io/token?service=s&scope=repository%3Alibrary%2Fdebian%3Apull", `Basic ${encodedLogin}`],
    ["https://registry-1.docker.io/v2/library/debian/manifests/latest", "Bearer access"],
  ]);
});

test("the token server of Microsoft's registry is never asked", async () => {
  const { fetch, seen } = webOf(() => challenge("https://mcr.microsoft.com/token"));
  await failureOf(clientWith(fetch).manifest(parseImageReference("mcr.microsoft.com/x/y")));
  expect(seen).toHaveLength(1);
});

test("a token that would smuggle in another header is not used", async () => {
  const { fetch, seen } = webOf(({ url }) =>
    url.includes("/token") ? Response.json({ token: "a\r\nx-evil: 1" }) : challenge("https://auth.example/token"),
  );
  const failure = await failureOf(
    createRegistryClient({
      fetch,
      findCredential: async () => ({ credential: undefined, source: undefined, places: [] }),
      retry: { sleep: async () => undefined, now: () => 0 },
    }).manifest(parseImageReference("registry.example/acme/dev")),
  );
  expect(failure).toMatchObject({ message: expect.stringContaining("Could not get an access token") });
  expect(seen).toHaveLength(2);
});

test("nothing that a server says back is shown, not even the login it was sent", async () => {
  const { fetch } = webOf(({ headers }) => {
    const sent = headers?.["authorization"] ?? "";
    const error = { code: sent, message: `you sent ${sent}`, detail: sent };
    const wanted = { "www-authenticate": "Basic realm=x" };
    return Response.json({ errors: [error] }, { status: 401, headers: wanted });
  });
  const failure = await failureOf(clientWith(fetch).manifest(parseImageReference("registry.example/acme/dev")));
  expect(failure).toBeInstanceOf(UserError);
  const shown = Bun.inspect(failure);
  for (const secret of ["my-secret", encodedLogin]) expect(shown).not.toContain(secret);
});

test("the next page of tags is never on another host or in another repository", async () => {
  const { fetch, seen } = webOf(({ url }) =>
    Response.json(
      { tags: [String(url.length)] },
      url.includes("last") ? {} : { headers: { link: '<https://evil.example/v2/other/tags/list?last=1>; rel="next"' } },
    ),
  );
  await clientWith(fetch).tags(parseImageReference("registry.example/acme/dev"));
  expect(seen.map(({ url }) => url)).toEqual([
    "https://registry.example/v2/acme/dev/tags/list",
    "https://registry.example/v2/acme/dev/tags/list?last=1",
  ]);
});

test("a list of tags that goes round in circles is given up", async () => {
  const { fetch } = webOf(() => Response.json({ tags: [] }, { headers: { link: '</x?last=1>; rel="next"' } }));
  const failure = await failureOf(clientWith(fetch).tags(parseImageReference("registry.example/acme/dev")));
  expect(failure).toMatchObject({ message: expect.stringContaining("does not end") });
});

test("a host without a dot is never contacted", async () => {
  const { fetch, seen } = webOf(() => new Response());
  const failure = await failureOf(clientWith(fetch).manifest(parseImageReference("registry:5000/acme/dev")));
  expect(failure).toBeInstanceOf(UserError);
  expect(seen).toEqual([]);
});
