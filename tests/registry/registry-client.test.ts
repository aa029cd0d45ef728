import { afterEach, expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { createFetch } from "../../src/host/fetch.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import type { Credential, FindCredential } from "../../src/registry/credential.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";

const started: FakeRegistry[] = [];
afterEach(() => Promise.all(started.splice(0).map((registry) => registry.stop())));

function start(options?: Parameters<typeof startFakeRegistry>[0]): FakeRegistry {
  const registry = startFakeRegistry(options);
  started.push(registry);
  return registry;
}

function clientWith(credential?: Credential) {
  const asked: string[] = [];
  const pauses: number[] = [];
  const findCredential: FindCredential = async ({ domain }) => {
    asked.push(domain);
    return {
      credential,
      source: credential === undefined ? undefined : "/home/ada/login.json",
      places: ["/home/ada/login.json"],
    };
  };
  const client = createRegistryClient({
    fetch: createFetch({ environment: {}, userAgent: "cooper/test" }),
    findCredential,
    retry: { sleep: async (milliseconds) => void pauses.push(milliseconds), now: () => 0 },
  });
  return { client, asked, pauses };
}

const login: Credential = { kind: "basic", username: "ci", password: "secret" };
const basic = { kind: "basic", username: "ci", password: "secret" } as const;
const bearer = { kind: "bearer", username: "ci", password: "secret" } as const;

function referenceIn(registry: FakeRegistry, name = "acme/dev:1") {
  return parseImageReference(`${registry.host}/${name}`);
}

function pathsOf(registry: FakeRegistry): string[] {
  return registry.requests.map(({ method, path }) => `${method} ${path}`);
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

test("a manifest comes with its digest, media type and meaning, and no login is looked for", async () => {
  const registry = start();
  const stored = registry.putImage("acme/dev", "1");
  const { client, asked } = clientWith(login);
  const fetched = await client.manifest(referenceIn(registry));
  expect(fetched).toMatchObject({
    digest: stored.digest,
    mediaType: mediaTypes.ociManifest,
    manifest: { kind: "image" },
  });
  expect(sha256Of(fetched.bytes)).toBe(stored.digest);
  expect(asked).toEqual([]);
  expect(registry.requests[0]?.headers).toMatchObject({ "user-agent": "cooper/test" });
  expect(registry.requests[0]?.headers["authorization"]).toBeUndefined();
});

test("a manifest is asked for by digest when there is one, and only in the media types wanted", async () => {
  const registry = start();
  const { digest } = registry.putImage("acme/dev", "1");
  const reference = referenceIn(registry, `acme/dev:1@${digest}`);
  await clientWith().client.manifest(reference, { accept: [mediaTypes.ociManifest] });
  expect(pathsOf(registry)).toEqual([`GET /v2/acme/dev/manifests/${digest}`]);
  expect(registry.requests[0]?.headers["accept"]).toBe(mediaTypes.ociManifest);
});

test("a blob comes as bytes or in chunks", async () => {
  const registry = start();
  const descriptor = { ...registry.putBlob("acme/dev", "content"), annotations: {} };
  const { client } = clientWith();
  expect(new TextDecoder().decode(await client.blob(referenceIn(registry), descriptor))).toBe("content");
  const chunks = await Array.fromAsync(client.blobChunks(referenceIn(registry), descriptor));
  expect(Buffer.concat(chunks).toString()).toBe("content");
});

test("a blob larger than wanted is not even asked for", async () => {
  const registry = start();
  const descriptor = { ...registry.putBlob("acme/dev", "content"), annotations: {} };
  const failure = await failureOf(clientWith().client.blob(referenceIn(registry), descriptor, { maximum: 6 }));
  expect(failure).toBeInstanceOf(UserError);
  expect(registry.requests).toEqual([]);
});

test("tags are listed across pages, and a repository that does not exist has none", async () => {
  const registry = start({ tagsPerPage: 2 });
  for (const tag of ["1", "1.0", "1.0.0", "latest", "2"]) registry.putImage("acme/dev", tag);
  const { client } = clientWith();
  expect(await client.tags(referenceIn(registry))).toEqual(["1", "1.0", "1.0.0", "latest", "2"]);
  expect(registry.requests).toHaveLength(3);
  expect(await client.tags(referenceIn(registry, "acme/absent"))).toEqual([]);
});

test("a registry with basic authentication is answered with the login, which is then sent at once", async () => {
  const registry = start({ auth: basic });
  const stored = registry.putImage("acme/dev", "1");
  const { client, asked } = clientWith(login);
  await client.manifest(referenceIn(registry));
  await client.blob(referenceIn(registry), { ...stored.config, annotations: {} });
  expect(registry.requests.map(({ headers }) => headers["authorization"])).toEqual([
    undefined,
    "Basic Y2k6c2VjcmV0",
    "Basic Y2k6c2VjcmV0",
  ]);
  expect(asked).toHaveLength(1);
});

test("a token is asked for once per repository, with the login if there is one", async () => {
  const registry = start({ auth: bearer });
  const stored = registry.putImage("acme/dev", "1");
  registry.putImage("acme/other", "1");
  const { client } = clientWith(login);
  await client.manifest(referenceIn(registry));
  await client.blob(referenceIn(registry), { ...stored.config, annotations: {} });
  await client.manifest(referenceIn(registry, "acme/other:1"));
  const tokens = registry.requests.filter(({ path }) => path.startsWith("/token"));
  expect(tokens.map(({ path }) => new URLSearchParams(path.slice("/token?".length)).get("scope"))).toEqual([
    "repository:acme/dev:pull",
    "repository:acme/other:pull",
  ]);
  expect(tokens.map(({ headers }) => headers["authorization"])).toEqual(["Basic Y2k6c2VjcmV0", "Basic Y2k6c2VjcmV0"]);
});

test("requests at the same time share one token", async () => {
  const registry = start({ auth: bearer });
  const stored = registry.putImage("acme/dev", "1");
  const { client } = clientWith(login);
  const blob = () => client.blob(referenceIn(registry), { ...stored.config, annotations: {} });
  await Promise.all([blob(), blob(), blob(), blob()]);
  expect(registry.requests.filter(({ path }) => path.startsWith("/token"))).toHaveLength(1);
});

test("a token that has expired is replaced", async () => {
  const registry = start({ auth: bearer });
  registry.putImage("acme/dev", "1");
  const { client } = clientWith(login);
  await client.manifest(referenceIn(registry));
  const challenge = `Bearer realm="http://${registry.host}/token",service="fake",scope="repository:acme/dev:pull"`;
  registry.faults.add(/manifests/, { kind: "status", status: 401, headers: { "www-authenticate": challenge } });
  await client.manifest(referenceIn(registry));
  expect(registry.requests.filter(({ path }) => path.startsWith("/token"))).toHaveLength(2);
});

test("without a login, or with one that is refused, a token is asked for anonymously", async () => {
  for (const credential of [undefined, { ...login, password: "wrong" }]) {
    const registry = start({ auth: { ...bearer, anonymous: true } });
    const { digest } = registry.putImage("acme/dev", "1");
    const { client } = clientWith(credential);
    expect((await client.manifest(referenceIn(registry))).digest).toBe(digest);
  }
});

test("a refresh token is exchanged for an access token in a form", async () => {
  const registry = start({ auth: { ...bearer, refreshToken: "rt" } });
  registry.putImage("acme/dev", "1");
  const { client } = clientWith({ kind: "refresh-token", token: "rt" });
  await client.manifest(referenceIn(registry));
  expect(pathsOf(registry)[1]).toBe("POST /token");
});

test("a refusal says where logins were looked for and how to log in, and never a secret", async () => {
  const found = { status: "401 (UNAUTHORIZED). It needs a login or does not exist." };
  for (const auth of [basic, bearer]) {
    const registry = start({ auth });
    registry.putImage("acme/dev", "1");
    const { host } = registry;
    expect(await failureOf(clientWith().client.manifest(referenceIn(registry)))).toMatchObject({
      failure: "refused",
      message: `Could not read the manifest of ${host}/acme/dev:1: ${host} answered ${found.status}`,
      hint: `No login for ${host} was found in /home/ada/login.json; log in with "docker login ${host}" or "podman login ${host}", or set DEVCONTAINERS_OCI_AUTH=${host}|<user>|<token>.`,
    });
    const failure = await failureOf(clientWith({ ...login, password: "wrong" }).client.manifest(referenceIn(registry)));
    expect(failure).toMatchObject({
      failure: "refused",
      hint: `The login for ${host} in /home/ada/login.json does not help here; check it, or log in anew with "docker login ${host}" or "podman login ${host}", or set DEVCONTAINERS_OCI_AUTH=${host}|<user>|<token>.`,
    });
  }
});

test("what is not there is told apart from other failures", async () => {
  const registry = start();
  registry.putImage("acme/dev", "1");
  expect(await failureOf(clientWith().client.manifest(referenceIn(registry, "acme/dev:9")))).toMatchObject({
    failure: "not-found",
    message: `Could not find the manifest of ${registry.host}/acme/dev:9: ${registry.host} answered 404 (MANIFEST_UNKNOWN).`,
  });
});

test("a busy registry is asked again until it answers", async () => {
  const registry = start();
  const { digest } = registry.putImage("acme/dev", "1");
  registry.faults.add(/manifests/, { kind: "status", status: 503 }, { times: 2 });
  registry.faults.add(/manifests/, { kind: "status", status: 429, headers: { "retry-after": "3" } });
  const { client, pauses } = clientWith();
  expect((await client.manifest(referenceIn(registry))).digest).toBe(digest);
  expect(pauses).toEqual([500, 1000, 3000]);
});

test("a registry that stays broken or busy is given up with its own words", async () => {
  const registry = start();
  registry.putImage("acme/dev", "1");
  registry.faults.add(/manifests/, { kind: "status", status: 502 }, { times: 4 });
  expect(await failureOf(clientWith().client.manifest(referenceIn(registry)))).toMatchObject({
    failure: "unavailable",
  });
  registry.faults.add(/manifests/, { kind: "status", status: 429, headers: { "retry-after": "3600" } });
  expect(await failureOf(clientWith().client.manifest(referenceIn(registry)))).toMatchObject({
    failure: "too-many-requests",
    hint: expect.stringContaining("Try again in 3600 seconds"),
  });
});

test("a download that breaks off is begun again", async () => {
  const registry = start();
  const descriptor = { ...registry.putBlob("acme/dev", "x".repeat(1000)), annotations: {} };
  registry.faults.add(/blobs/, { kind: "hang-up" }, { times: 2 });
  const { client, pauses } = clientWith();
  expect(await client.blob(referenceIn(registry), descriptor)).toHaveLength(1000);
  expect(pauses).toEqual([500, 1000]);
});

test("a registry that always breaks off is given up after four attempts", async () => {
  const registry = start();
  const descriptor = { ...registry.putBlob("acme/dev", "x".repeat(1000)), annotations: {} };
  registry.faults.add(/blobs/, { kind: "hang-up" }, { times: 100 });
  const failure = await failureOf(clientWith().client.blob(referenceIn(registry), descriptor));
  expect(failure).toMatchObject({ message: expect.stringContaining(`Could not reach ${registry.host}`) });
  expect(registry.requests).toHaveLength(4);
});

test("an answer that is no registry's is called that", async () => {
  const registry = start();
  registry.faults.add(/manifests/, { kind: "status", status: 204 });
  expect(await failureOf(clientWith().client.manifest(referenceIn(registry)))).toMatchObject({ failure: "unexpected" });
});

test.each([408, 429, 500, 502, 503, 504])("a passing %d at a manifest or blob is waited for", async (status) => {
  const registry = start();
  const { config } = registry.putImage("acme/dev", "1");
  for (const kind of ["manifests", "blobs"]) registry.faults.add(new RegExp(`/${kind}/`), { kind: "status", status });
  const { client, pauses } = clientWith();
  await client.manifest(referenceIn(registry));
  expect(await client.blob(referenceIn(registry), { ...config, annotations: {} })).toHaveLength(config.size);
  expect(pauses).toEqual([500, 500]);
});

test.each([408, 429, 500, 502, 503, 504])("a %d that stays is a clear error", async (status) => {
  const registry = start();
  const { config } = registry.putImage("acme/dev", "1");
  registry.faults.add(/acme/, { kind: "status", status }, { times: 99 });
  const { client } = clientWith();
  const readings = [
    () => client.manifest(referenceIn(registry)),
    () => client.blob(referenceIn(registry), { ...config, annotations: {} }),
    () => client.tags(referenceIn(registry)),
  ];
  for (const read of readings) {
    expect(await failureOf(read())).toMatchObject({ message: expect.stringContaining(`answered ${status}`) });
  }
});
