import { afterEach, expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";
import { blobOf, content, placeIn, uploadingClient } from "./uploading-client.ts";

const started: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

function start(options?: Parameters<typeof startFakeRegistry>[0]): FakeRegistry {
  const registry = startFakeRegistry(options);
  started.push(registry);
  return registry;
}

const digest = sha256Of(content);
const blob = blobOf(content);

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

const methodsOf = (registry: FakeRegistry) => registry.requests.map(({ method }) => method);

test("a blob goes up in one request that tells its length", async () => {
  const registry = start();
  expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), blob)).toBe("uploaded");
  expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  expect(methodsOf(registry)).toEqual(["HEAD", "POST", "PUT"]);
  expect(registry.requests[2]?.headers).toMatchObject({
    "content-length": "3500",
    "content-type": "application/octet-stream",
  });
});

test("an empty blob is a blob", async () => {
  const registry = start();
  expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), blobOf(new Uint8Array()))).toBe("uploaded");
  expect(registry.read("acme/app", "blobs", sha256Of(""))).toEqual(new Uint8Array());
});

test("what is there is not sent", async () => {
  const registry = start();
  registry.putBlob("acme/app", content);
  const unread = blobOf(content, {
    open: () => {
      throw new TypeError("was read");
    },
  });
  expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), unread)).toBe("present");
  expect(methodsOf(registry)).toEqual(["HEAD"]);
});

test("what another repository has is mounted", async () => {
  const registry = start();
  registry.putBlob("acme/base", content);
  const upload = blobOf(content, { from: "acme/base" });
  expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), upload)).toBe("mounted");
  expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  expect(methodsOf(registry)).toEqual(["HEAD", "POST"]);
});

test("where nothing is mounted, it is sent", async () => {
  const registry = start({ uploads: { mounts: false } });
  registry.putBlob("acme/base", content);
  const upload = blobOf(content, { from: "acme/base" });
  expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), upload)).toBe("uploaded");
  expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
});

test("a mount that is refused is no end", async () => {
  const registry = start();
  registry.faults.add(/^POST/, { kind: "status", status: 403 });
  const upload = blobOf(content, { from: "acme/base" });
  expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), upload)).toBe("uploaded");
});

test("a request that is too large for the registry is cut into pieces", async () => {
  const registry = start({ uploads: { largestRequest: 1200 } });
  const sent: number[] = [];
  await uploadingClient().client.uploadBlob(
    placeIn(registry.host),
    blobOf(content, { onProgress: (bytes) => void sent.push(bytes) }),
  );
  expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  const pieces = registry.requests.filter(({ method }) => method === "PATCH");
  expect(pieces.map(({ headers }) => headers["content-range"])).toEqual([
    "0-999",
    "1000-1999",
    "2000-2999",
    "3000-3499",
  ]);
  expect(sent.slice(-4)).toEqual([1000, 2000, 3000, 3500]);
});

test("a refusal is told with the registry's code and not tried again", async () => {
  const registry = start();
  const failure = await failureOf(
    uploadingClient().client.uploadBlob(placeIn(registry.host), blobOf(content, { digest: sha256Of("other") })),
  );
  expect(failure).toMatchObject({ message: expect.stringContaining("answered 400 (DIGEST_INVALID)") });
  expect(methodsOf(registry)).toEqual(["HEAD", "POST", "PUT"]);
});

test("what a blob's source throws is thrown as it is", async () => {
  const registry = start();
  const gone = new UserError("The file went away.");
  const broken = blobOf(content, {
    async *open() {
      yield content.subarray(0, 10);
      throw gone;
    },
  });
  expect(await failureOf(uploadingClient().client.uploadBlob(placeIn(registry.host), broken))).toBe(gone);
  expect(registry.read("acme/app", "blobs", digest)).toBeUndefined();
});

test.each(["basic", "bearer"] as const)("a %s registry is logged in to, once", async (kind) => {
  const registry = start({ auth: { kind, username: "ci", password: "secret" } });
  const { client } = uploadingClient({ kind: "basic", username: "ci", password: "secret" });
  await client.uploadBlob(placeIn(registry.host), blob);
  const bytes = new TextEncoder().encode("{}");
  await client.putManifest({ ...placeIn(registry.host), tag: "1" }, { bytes, mediaType: mediaTypes.ociManifest });
  expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  const tokens = registry.requests.filter(({ path }) => path.startsWith("/token"));
  expect(tokens.map(({ path }) => new URL(path, "http://x").searchParams.getAll("scope"))).toEqual(
    kind === "basic" ? [] : [["repository:acme/app:pull,push"]],
  );
});

test("a mount asks for a token that reads the other repository too", async () => {
  const registry = start({ auth: { kind: "bearer", username: "ci", password: "secret" } });
  registry.putBlob("acme/base", content);
  const { client } = uploadingClient({ kind: "basic", username: "ci", password: "secret" });
  const upload = blobOf(content, { from: "acme/base" });
  expect(await client.uploadBlob(placeIn(registry.host), upload)).toBe("mounted");
  const scopes = registry.requests.map(({ path }) => new URL(path, "http://x").searchParams.getAll("scope"));
  expect(scopes).toContainEqual(["repository:acme/app:pull,push", "repository:acme/base:pull"]);
});

test("who may only read is told where the login came from", async () => {
  const registry = start({ auth: { kind: "bearer", username: "ci", password: "secret", anonymous: true } });
  const failure = await failureOf(uploadingClient().client.uploadBlob(placeIn(registry.host), blob));
  expect(failure).toMatchObject({
    message: expect.stringContaining("answered 401 (UNAUTHORIZED). It wants a login that may write there."),
    hint: expect.stringContaining(`docker login ${registry.host}`),
  });
});

test("a manifest that the registry stores under another digest is an error", async () => {
  const registry = start();
  const headers = { "docker-content-digest": sha256Of("other") };
  registry.faults.add(/^PUT .*manifests/, { kind: "status", status: 201, headers });
  const bytes = new TextEncoder().encode("{}");
  const put = uploadingClient().client.putManifest(
    { ...placeIn(registry.host), tag: "1" },
    { bytes, mediaType: mediaTypes.ociManifest },
  );
  await expect(put).rejects.toThrow("Digest did not match");
});

test("a manifest over 4 MiB is refused before anything is sent", async () => {
  const registry = start();
  const bytes = new Uint8Array(4 * 1024 * 1024 + 1);
  const place = { ...placeIn(registry.host), tag: "big" };
  const failure = await failureOf(
    uploadingClient().client.putManifest(place, { bytes, mediaType: mediaTypes.ociManifest }),
  );
  expect(failure).toMatchObject({
    message: `Could not push the manifest ${registry.host}/acme/app:big: it has 4194305 bytes, and registries take at most 4194304.`,
  });
  expect(registry.requests).toEqual([]);
});

test("a manifest's presence is told by its digest", async () => {
  const registry = start();
  const { digest: known } = registry.putManifest("acme/app", "1", { schemaVersion: 2 });
  const { client } = uploadingClient();
  expect(await client.hasManifest(placeIn(registry.host), known)).toBe(true);
  expect(await client.hasManifest(placeIn(registry.host), digest)).toBe(false);
});
