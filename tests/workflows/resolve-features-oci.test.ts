import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeatureValue } from "../../src/devcontainer/schema.ts";
import { parseLockfile, renderLockfile } from "../../src/features/lockfile.ts";
import { createFetch } from "../../src/host/fetch.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import { createBlobCache } from "../../src/store/blob-cache.ts";
import { unpackArchive } from "../../src/store/unpack.ts";
import type { FeaturePorts } from "../../src/workflows/fetch-feature.ts";
import { type ResolveFeaturesRequest, resolveFeatures } from "../../src/workflows/resolve-features.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";

let cacheFolder: string;
let registry: FakeRegistry;

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), "cooper-test-"));
  registry = startFakeRegistry();
});
afterEach(async () => {
  await registry.stop();
  await rm(cacheFolder, { recursive: true });
});

function openPorts(login?: { username: string; password: string }): FeaturePorts {
  const environment = {};
  return {
    cacheFolder,
    environment,
    unpack: unpackArchive,
    blobs: createBlobCache(cacheFolder),
    registry: createRegistryClient({
      fetch: createFetch({ environment, userAgent: "test" }),
      findCredential: async () => ({
        credential: login === undefined ? undefined : { kind: "basic", ...login },
        source: undefined,
        places: [],
      }),
      retry: { sleep: async () => undefined, now: () => 0, attempts: 1 },
    }),
    download: () => {
      throw new Error("Nothing is downloaded outside the registry.");
    },
  };
}

function resolve(features: Record<string, FeatureValue>, rest: Partial<ResolveFeaturesRequest> = {}) {
  const written = Object.fromEntries(Object.entries(features).map(([id, value]) => [at(id), value]));
  const request = { features: written, configFolder: "/ws/.devcontainer", workspaceFolder: "/ws", ...rest };
  return resolveFeatures(request, openPorts());
}

/** `fx/a:1` in the fake registry; other forms as they are. */
const at = (id: string) => (id.startsWith("fx/") ? `${registry.host}/${id}` : id);
const put = (id: string, json: Parameters<FakeRegistry["putFeature"]>[2]["json"], tag = "1") =>
  registry.putFeature(`fx/${id}`, tag, { json: { id, version: `${tag}.0.0`, ...json } });
const lockOf = (text: string) => parseLockfile(text, { file: "lock" });
const paths = () => registry.requests.map(({ path }) => path);

describe("a Feature of a registry", () => {
  test("is ordered, unpacked under its archive's digest and locked by its manifest's", async () => {
    const a = put("a", { installsAfter: [at("fx/b")], options: { version: { default: "1" } } });
    const b = put("b", {});
    const { features, lockfile } = await resolve({ "fx/a:1": "2", "fx/b:1": {} });
    expect(features.map(({ userId, consecutiveId, digest }) => [userId, consecutiveId, digest])).toEqual([
      [at("fx/b:1"), "b_0", b.digest],
      [at("fx/a:1"), "a_1", a.digest],
    ]);
    expect(features[1]).toMatchObject({
      contentFolder: join(cacheFolder, "features", "sha256", a.layer.digest.slice(7)),
      optionEnv: [{ name: "VERSION", value: "2" }],
      imageManifest: { schemaVersion: 2, config: { mediaType: "application/vnd.devcontainers" } },
    });
    expect((await stat(join(features[1]?.contentFolder ?? "", "install.sh"))).mode & 0o777).toBe(0o755);
    expect(renderLockfile(lockfile)).toBe(
      `${JSON.stringify(
        {
          features: {
            [at("fx/a:1")]: { version: "1.0.0", resolved: `${at("fx/a")}@${a.digest}`, integrity: a.digest },
            [at("fx/b:1")]: { version: "1.0.0", resolved: `${at("fx/b")}@${b.digest}`, integrity: b.digest },
          },
        },
        null,
        2,
      )}\n`,
    );
  });

  test("brings what it depends on, which is locked too; what only the command line adds is not", async () => {
    put("a", { dependsOn: { [at("fx/b:1")]: { x: "1" } } });
    put("b", {});
    put("c", { dependsOn: { [at("fx/d:1")]: {} } });
    put("d", {});
    const { features, lockfile } = await resolve({ "fx/a:1": {} }, { additionalFeatures: { [at("fx/c:1")]: {} } });
    expect(features.map(({ userId, value }) => [userId, value])).toEqual([
      [at("fx/b:1"), { x: "1" }],
      [at("fx/d:1"), {}],
      [at("fx/a:1"), {}],
      [at("fx/c:1"), {}],
    ]);
    expect([...lockfile.keys()].sort()).toEqual([at("fx/a:1"), at("fx/b:1"), at("fx/d:1")]);
    expect(lockfile.get(at("fx/a:1"))?.dependsOn).toEqual([at("fx/b:1")]);
  });

  test("named by two tags of one content is installed once", async () => {
    put("a", {});
    put("a", { version: "1.0.0" }, "latest");
    const { features } = await resolve({ "fx/a:1": {}, "fx/a": {} });
    expect(features.map(({ userId }) => userId)).toEqual([at("fx/a:1")]);
  });

  test("whose manifest says nothing about it is described by its archive", async () => {
    registry.putFeature("fx/a", "1", { json: { id: "a", dependsOn: { [at("fx/b:1")]: {} } }, annotate: false });
    put("b", {});
    const { features } = await resolve({ "fx/a:1": {} });
    expect(features.map(({ userId }) => userId)).toEqual([at("fx/b:1"), at("fx/a:1")]);
  });

  test("is fetched with a login where the registry wants one", async () => {
    await registry.stop();
    registry = startFakeRegistry({ auth: { kind: "bearer", username: "ci", password: "secret" } });
    put("a", {});
    const request = { features: { [at("fx/a:1")]: {} }, configFolder: "/ws/.devcontainer", workspaceFolder: "/ws" };
    const { features } = await resolveFeatures(request, openPorts({ username: "ci", password: "secret" }));
    expect(features).toHaveLength(1);
    await expect(resolveFeatures(request, openPorts())).rejects.toThrow(
      `ERR: Feature '${at("fx/a:1")}' could not be processed.`,
    );
  });
});

describe("the network", () => {
  test("is asked for a tag each time, for its archive once", async () => {
    put("a", {});
    await resolve({ "fx/a:1": {} });
    expect(paths()).toHaveLength(2);
    await resolve({ "fx/a:1": {} });
    expect(paths().slice(2)).toEqual(["/v2/fx/a/manifests/1"]);
  });

  test("is not needed when the lockfile pins everything and the cache has it", async () => {
    put("a", { dependsOn: { [at("fx/b:1")]: {} }, installsAfter: [at("fx/not-there")] });
    put("b", {});
    const before = await resolve({ "fx/a:1": {} });
    await registry.stop();
    const after = await resolve({ "fx/a:1": {} }, { lockfile: before.lockfile });
    expect(after).toEqual(before);
  });

  test("is not needed for a Feature that is written with its digest", async () => {
    const { digest } = put("a", {});
    await resolve({ [`fx/a@${digest}`]: {} });
    await registry.stop();
    expect((await resolve({ [`fx/a@${digest}`]: {} })).features).toHaveLength(1);
  });

  test("is asked for what is pinned, not for what the tag means now", async () => {
    const old = put("a", {});
    const { lockfile } = await resolve({ "fx/a:1": {} });
    put("a", { name: "new" });
    await rm(join(cacheFolder, "blobs"), { recursive: true });
    const { features } = await resolve({ "fx/a:1": {} }, { lockfile });
    expect(features[0]?.digest).toBe(old.digest);
    expect(paths().at(-1)).toBe(`/v2/fx/a/manifests/${old.digest}`);
  });

  test("is asked for all manifests before the first archive is awaited", async () => {
    for (const id of ["a", "b", "c"]) put(id, {});
    await resolve({ "fx/a:1": {}, "fx/b:1": {}, "fx/c:1": {} });
    const manifests = paths().slice(0, 3);
    expect(manifests.toSorted()).toEqual(["a", "b", "c"].map((id) => `/v2/fx/${id}/manifests/1`));
  });

  test("brings archives again that the cache has lost, and unpacked ones are enough", async () => {
    const { layer } = put("a", {});
    const { lockfile } = await resolve({ "fx/a:1": {} });
    await rm(join(cacheFolder, "blobs", "sha256", layer.digest.slice(7)));
    registry.requests.length = 0;
    await resolve({ "fx/a:1": {} }, { lockfile });
    expect(paths()).toEqual([]);
    await rm(join(cacheFolder, "features"), { recursive: true });
    await resolve({ "fx/a:1": {} }, { lockfile });
    expect(paths()).toEqual([`/v2/fx/a/blobs/${layer.digest}`]);
  });
});

describe("the cache", () => {
  test("is filled once by builds that run side by side", async () => {
    const { layer } = put("a", {});
    await Promise.all(Array.from({ length: 8 }, () => resolve({ "fx/a:1": {} })));
    expect(await readdir(join(cacheFolder, "features", "sha256"))).toEqual([layer.digest.slice(7)]);
  });

  test("holds nothing of an archive that was refused", async () => {
    put("a", {});
    registry.faults.add(/blobs/, { kind: "alter" });
    await expect(resolve({ "fx/a:1": {} })).rejects.toThrow("Digest did not match for");
    expect(await readdir(cacheFolder)).toEqual(["blobs"]);
  });
});

describe("a Feature that cannot be had", () => {
  test("because it is not there", async () => {
    await expect(resolve({ "fx/a:1": {} })).rejects.toThrow(
      `ERR: Feature '${at("fx/a:1")}' could not be processed. Could not find the manifest of`,
    );
  });

  test("because the registry has lost what the lockfile pins, which says what to do", async () => {
    const gone = `sha256:${"0".repeat(64)}`;
    const lockfile = lockOf(
      JSON.stringify({ features: { [at("fx/a:1")]: { resolved: `${at("fx/a")}@${gone}`, integrity: gone } } }),
    );
    put("a", {});
    await expect(resolve({ "fx/a:1": {} }, { lockfile })).rejects.toMatchObject({
      message: expect.stringContaining(`ERR: Feature '${at("fx/a:1")}' could not be processed.`),
      hint: expect.stringContaining("`upgrade`"),
    });
  });

  test("because its own digest and the lockfile's differ", async () => {
    const { digest } = put("a", {});
    const other = `sha256:${"0".repeat(64)}`;
    const id = at(`fx/a@${digest}`);
    const lockfile = lockOf(JSON.stringify({ features: { [id]: { resolved: "x", integrity: other } } }));
    await expect(resolve({ [`fx/a@${digest}`]: {} }, { lockfile })).rejects.toThrow(
      `Digest did not match for Feature '${id}'. Wanted ${other}, found ${digest}`,
    );
  });

  test("because the registry sends something else than was pinned", async () => {
    put("a", {});
    const { lockfile } = await resolve({ "fx/a:1": {} });
    await rm(join(cacheFolder, "blobs"), { recursive: true });
    registry.faults.add(/manifests/, { kind: "alter" });
    await expect(resolve({ "fx/a:1": {} }, { lockfile })).rejects.toThrow("Digest did not match for");
  });

  test("because it is an ordinary image", async () => {
    registry.putImage("fx/a", "1");
    await expect(resolve({ "fx/a:1": {} })).rejects.toThrow(
      "is an image whose config is application/vnd.oci.image.config.v1+json; wanted application/vnd.devcontainers and a layer.",
    );
  });

  test("because its description is wrong, which says where", async () => {
    put("a", { installsAfter: "b" });
    await expect(resolve({ "fx/a:1": {} })).rejects.toThrow(
      "installsAfter: found a string; wanted an array of strings.",
    );
  });

  test("because what it depends on is not there", async () => {
    put("a", { dependsOn: { [at("fx/b:1")]: {} } });
    await expect(resolve({ "fx/a:1": {} })).rejects.toThrow(`ERR: Feature '${at("fx/b:1")}' could not be processed.`);
  });
});
