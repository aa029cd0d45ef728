import { afterEach, describe, expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { type CuttingProxy, startCuttingProxy } from "../fakes/cutting-proxy.ts";
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

async function startProxy(registry: FakeRegistry): Promise<CuttingProxy> {
  const proxy = await startCuttingProxy(registry.host);
  started.push(proxy);
  return proxy;
}

describe.each([408, 429, 500, 502, 503, 504])("a passing %d", (status) => {
  test.each(["HEAD", "POST", "PUT"])("at a blob's %s is waited for", async (method) => {
    const registry = start();
    registry.faults.add(new RegExp(`^${method} .*blobs`), { kind: "status", status }, { times: 2 });
    const { client, pauses } = uploadingClient();
    expect(await client.uploadBlob(placeIn(registry.host), blob)).toBe("uploaded");
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
    expect(pauses).toEqual([500, 1000]);
  });

  test("at a piece is waited for, and only what lacks is sent again", async () => {
    const registry = start({ uploads: { largestRequest: 1200 } });
    registry.faults.add(/^PATCH/, { kind: "status", status }, { skip: 2 });
    expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), blob)).toBe("uploaded");
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
    const ranges = registry.requests.flatMap(({ method, headers }) =>
      method === "PATCH" ? [headers["content-range"]] : [],
    );
    expect(ranges).toEqual(["0-999", "1000-1999", "2000-2999", "2000-2999", "3000-3499"]);
  });

  test("at the question how far a piece came is waited for", async () => {
    const registry = start({ uploads: { largestRequest: 1200 } });
    registry.faults.add(/^PATCH/, { kind: "status", status }, { skip: 2 });
    registry.faults.add(/^GET .*uploads/, { kind: "status", status }, { skip: 1, times: 2 });
    expect(await uploadingClient().client.uploadBlob(placeIn(registry.host), blob)).toBe("uploaded");
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
    expect(registry.requests.filter(({ method }) => method === "POST")).toHaveLength(2);
  });

  test("at the token server is waited for", async () => {
    const auth = { kind: "bearer", username: "ci", password: "secret", refreshToken: "refresh" } as const;
    for (const credential of [
      { kind: "basic", username: "ci", password: "secret" },
      { kind: "refresh-token", token: "refresh" },
    ] as const) {
      const registry = start({ auth });
      registry.faults.add(/token/, { kind: "status", status }, { times: 2 });
      const { client, pauses } = uploadingClient(credential);
      expect(await client.uploadBlob(placeIn(registry.host), blob)).toBe("uploaded");
      expect(pauses).toEqual([500, 1000]);
    }
  });

  test("at a manifest is waited for", async () => {
    const registry = start();
    registry.faults.add(/^PUT .*manifests/, { kind: "status", status, headers: { "retry-after": "3" } });
    const { client, pauses } = uploadingClient();
    const bytes = new TextEncoder().encode("{}");
    const place = { ...placeIn(registry.host), tag: "1" };
    expect(await client.putManifest(place, { bytes, mediaType: mediaTypes.ociManifest })).toBe(sha256Of("{}"));
    expect(registry.digestOf("acme/app", "1")).toBe(sha256Of("{}"));
    expect(pauses).toEqual([3000]);
  });

  test.each(["HEAD", "POST", "PUT"])("that stays at a blob's %s is a clear error", async (method) => {
    const registry = start();
    registry.faults.add(new RegExp(`^${method} .*blobs`), { kind: "status", status }, { times: 99 });
    const failure = await failureOf(uploadingClient().client.uploadBlob(placeIn(registry.host), blob));
    expect(failure).toBeInstanceOf(UserError);
    expect(failure).toMatchObject({
      message: expect.stringMatching(
        new RegExp(`^Could not push the blob ${digest} to ${registry.host}/acme/app: .* answered ${status}`),
      ),
      hint: expect.stringMatching(/again/),
    });
    expect(registry.read("acme/app", "blobs", digest)).toBeUndefined();
  });
});

describe("a connection that breaks", () => {
  test.each(["HEAD", "POST", "PUT"])("before the answer to a blob's %s is no end", async (method) => {
    const registry = start();
    const proxy = await startProxy(registry);
    proxy.cut(new RegExp(`^${method} .*blobs`), { after: "answering" });
    await uploadingClient().client.uploadBlob(placeIn(proxy.host), blob);
    expect(proxy.pending()).toBe(0);
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  });

  test("in the middle of a blob is no end", async () => {
    const registry = start();
    const proxy = await startProxy(registry);
    proxy.cut(/^PUT/, { after: 2000 });
    await uploadingClient().client.uploadBlob(placeIn(proxy.host), blob);
    expect(proxy.pending()).toBe(0);
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  });

  test("in the middle of a piece costs that piece", async () => {
    const registry = start({ uploads: { largestRequest: 1200 } });
    const proxy = await startProxy(registry);
    proxy.cut(/^PATCH .*state=3/, { after: 600 });
    await uploadingClient().client.uploadBlob(placeIn(proxy.host), blob);
    expect(proxy.pending()).toBe(0);
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  });

  test("after a piece has come is not told twice", async () => {
    const registry = start({ uploads: { largestRequest: 1200 } });
    const proxy = await startProxy(registry);
    proxy.cut(/^PATCH .*state=3/, { after: "answering" });
    await uploadingClient().client.uploadBlob(placeIn(proxy.host), blob);
    expect(proxy.pending()).toBe(0);
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  });

  test("at the token server is no end", async () => {
    const registry = start({ auth: { kind: "bearer", username: "ci", password: "secret" } });
    const proxy = await startProxy(registry);
    proxy.cut(/token/, { after: "answering" });
    const { client } = uploadingClient({ kind: "basic", username: "ci", password: "secret" });
    await client.uploadBlob(placeIn(proxy.host), blob);
    expect(proxy.pending()).toBe(0);
    expect(registry.read("acme/app", "blobs", digest)).toEqual(content);
  });

  test("before a manifest's answer is no end", async () => {
    const registry = start();
    const proxy = await startProxy(registry);
    proxy.cut(/^PUT .*manifests/, { after: "answering" });
    const place = { ...placeIn(proxy.host), tag: "1" };
    await uploadingClient().client.putManifest(place, {
      bytes: new TextEncoder().encode("{}"),
      mediaType: mediaTypes.ociManifest,
    });
    expect(proxy.pending()).toBe(0);
    expect(registry.digestOf("acme/app", "1")).toBe(sha256Of("{}"));
  });
});
