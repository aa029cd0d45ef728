import { afterEach, expect, test } from "bun:test";
import { createFetch } from "../../src/host/fetch.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { formatPlatform, parsePlatform } from "../../src/oci/platform.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { readRemoteImage } from "../../src/registry/image-facts.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";

let registry: FakeRegistry | undefined;
afterEach(() => registry?.stop());

const client = createRegistryClient({
  fetch: createFetch({ environment: {}, userAgent: "cooper/test" }),
  findCredential: async () => ({ credential: undefined, source: undefined, places: [] }),
  retry: { sleep: async () => undefined, now: () => 0 },
});

function read(fake: FakeRegistry, platform: string) {
  const reference = parseImageReference(`${fake.host}/acme/base:1`);
  return readRemoteImage(client, reference, { platform: parsePlatform(platform) });
}

test("an image without index is what it is, whatever platform was asked for", async () => {
  registry = startFakeRegistry();
  const stored = registry.putImage("acme/base", "1", {
    platform: "linux/arm64",
    config: { User: "node", Env: ["A=b"], Labels: { "devcontainer.metadata": "[]" } },
  });
  const facts = await read(registry, "linux/amd64");
  expect(facts).toMatchObject({
    digest: stored.digest,
    manifestDigest: stored.digest,
    configDigest: stored.config.digest,
    config: { user: "node", env: ["A=b"], labels: { "devcontainer.metadata": "[]" } },
  });
  expect(formatPlatform(facts.platform)).toBe("linux/arm64");
});

test("of an index the platform's image is read, and the index's digest kept", async () => {
  registry = startFakeRegistry();
  const index = registry.putIndex("acme/base", "1", [
    { platform: "linux/amd64", config: { User: "amd" } },
    { platform: "linux/arm/v7", config: { User: "arm" } },
  ]);
  const facts = await read(registry, "linux/arm/v7");
  expect(facts.config.user).toBe("arm");
  expect(facts.digest).toBe(index.digest);
  expect(facts.manifestDigest).not.toBe(index.digest);
  await expect(read(registry, "linux/s390x")).rejects.toThrow(
    "has no image for linux/s390x: it has linux/amd64, linux/arm/v7.",
  );
});

test("an index inside an index is refused", async () => {
  registry = startFakeRegistry();
  const inner = registry.putIndex("acme/base", "inner", [{ platform: "linux/amd64" }]);
  const platform = { os: "linux", architecture: "amd64" };
  const manifests = [{ ...inner, platform }];
  registry.putManifest("acme/base", "1", { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  await expect(read(registry, "linux/amd64")).rejects.toThrow("has an index inside its index");
});

test("something that is no image is refused with the part that is missing", async () => {
  registry = startFakeRegistry();
  registry.putFeature("acme/base", "1", { json: { id: "base" } });
  await expect(read(registry, "linux/amd64")).rejects.toThrow(
    `The config of ${registry.host}/acme/base:1 is not valid: os`,
  );
});
