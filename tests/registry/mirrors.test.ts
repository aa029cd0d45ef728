import { afterEach, expect, test } from "bun:test";
import { createFetch } from "../../src/host/fetch.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { withMirrors } from "../../src/registry/mirrors.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";

const started: FakeRegistry[] = [];
afterEach(() => Promise.all(started.splice(0).map((registry) => registry.stop())));

function start(): FakeRegistry {
  const registry = startFakeRegistry();
  started.push(registry);
  return registry;
}

function clientWith(registry: FakeRegistry, mirrors: readonly string[]) {
  const client = createRegistryClient({
    fetch: createFetch({ environment: {}, userAgent: "cooper/test" }),
    findCredential: async () => ({ credential: undefined, source: undefined, places: [] }),
    retry: { sleep: async () => undefined, now: () => 0 },
  });
  return withMirrors(client, { mirrors: new Map([[registry.host, mirrors]]) });
}

const reference = (registry: FakeRegistry) => parseImageReference(`${registry.host}/acme/app:1`);
const read = async (chunks: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(chunks));

test("what a mirror has is read from there alone", async () => {
  const [registry, mirror] = [start(), start()];
  const { config, digest } = mirror.putImage("acme/app", "1");
  const client = clientWith(registry, [mirror.host]);
  const blob = { ...config, annotations: {} };
  expect((await client.manifest(reference(registry))).digest).toBe(digest);
  expect((await client.blob(reference(registry), blob)).length).toBe(config.size);
  expect((await read(client.blobChunks(reference(registry), blob))).length).toBe(config.size);
  expect(registry.requests).toEqual([]);
});

test("what a mirror lacks, or has damaged, or cannot give is read from the registry", async () => {
  const [registry, mirror, dead] = [start(), start(), start()];
  const { config, digest } = registry.putImage("acme/app", "1");
  await dead.stop();
  mirror.faults.add(/manifests/, { kind: "status", status: 503 }, { times: 9 });
  const client = clientWith(registry, [dead.host, mirror.host]);
  const blob = { ...config, annotations: {} };
  expect((await client.manifest(reference(registry))).digest).toBe(digest);
  mirror.putImage("acme/app", "1");
  mirror.faults.add(/blobs/, { kind: "alter" }, { times: 9 });
  expect((await client.blob(reference(registry), blob)).length).toBe(config.size);
  await expect(read(client.blobChunks(reference(registry), blob))).rejects.toThrow("Digest did not match");
});

test("a stream that never began is read from the registry", async () => {
  const [registry, mirror] = [start(), start()];
  const { config } = registry.putImage("acme/app", "1");
  const chunks = clientWith(registry, [mirror.host]).blobChunks(reference(registry), { ...config, annotations: {} });
  expect((await read(chunks)).length).toBe(config.size);
});

test("mirrors are for reading: what is pushed goes to the registry", async () => {
  const [registry, mirror] = [start(), start()];
  const bytes = new TextEncoder().encode("{}");
  const client = clientWith(registry, [mirror.host]);
  const place = { domain: registry.host, repository: "acme/app", tag: "1" };
  const digest = await client.putManifest(place, { bytes, mediaType: "application/vnd.oci.image.manifest.v1+json" });
  expect(registry.digestOf("acme/app", "1")).toBe(digest);
  expect(mirror.requests).toEqual([]);
});

test("where no mirror helps, the registry has the last word", async () => {
  const [registry, mirror] = [start(), start()];
  const failure = clientWith(registry, [mirror.host]).manifest(reference(registry));
  await expect(failure).rejects.toThrow(`Could not find the manifest of ${registry.host}/acme/app:1`);
});
