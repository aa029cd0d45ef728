import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../src/errors.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { copyImage } from "../../src/workflows/copy-image.ts";
import { validateImage } from "../../src/workflows/validate-image.ts";
import { startCuttingProxy } from "../fakes/cutting-proxy.ts";
import { entryOf, type LayoutFiles, layoutOf, multiPlatformLayout } from "../fakes/image-layout.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-copy-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const started: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

function start(options?: Parameters<typeof startFakeRegistry>[0]): FakeRegistry {
  const registry = startFakeRegistry(options);
  started.push(registry);
  return registry;
}

function writeLayout(name: string, files: LayoutFiles): void {
  for (const [path, bytes] of files) {
    mkdirSync(join(directory, name, dirname(path)), { recursive: true });
    writeFileSync(join(directory, name, path), bytes);
  }
}

const one = layoutOf();
const digestOfOne = entryOf(one).digest;
writeLayout("one", one);

const multi = multiPlatformLayout();
writeLayout("multi", multi.files);

type Options = {
  references?: string[];
  platforms?: string[] | "all";
  observed?: [Descriptor, number][];
  machine?: string;
};

function copy(source: string, destination: string, options: Options = {}) {
  const { references = [], platforms = [], observed = [], machine = "" } = options;
  const { tools } = recordingTools(directory);
  const environment = { ...tools.environment, DOCKER_DEFAULT_PLATFORM: machine };
  const request = {
    source: parseImageTransport(source),
    destination: parseImageTransport(destination),
    references: references.map(parseImageReference),
    platforms: platforms === "all" ? platforms : platforms.map(parsePlatform),
    dockerPath: undefined,
  };
  const observer = {
    found: () => {},
    passed: (blob: Descriptor, bytes: number) => void observed.push([blob, bytes]),
    done: () => {},
  };
  return copyImage(request, { ...tools, environment }, { observer });
}

const faultsOf = async (image: string) =>
  (await validateImage(parseImageTransport(image), recordingTools(directory).tools)).faults;

test("an image goes to a registry and back with its digest", async () => {
  const registry = start();
  const copied = await copy("oci:one", `${registry.host}/acme/app:1`, { references: [`${registry.host}/acme/app:2`] });
  expect(copied).toMatchObject({ digest: digestOfOne, mediaType: mediaTypes.ociManifest, blobs: 2, present: 0 });
  expect([registry.digestOf("acme/app", "1"), registry.digestOf("acme/app", "2")]).toEqual([digestOfOne, digestOfOne]);
  for (const place of ["oci:back", "oci-archive:back-oci.tar", "back.tar"]) {
    expect((await copy(`${registry.host}/acme/app:1`, place)).digest).toBe(digestOfOne);
    expect(await faultsOf(place)).toEqual([]);
  }
  await copy(`${registry.host}/acme/app:1`, "docker-archive:back-docker.tar");
  expect(await faultsOf("docker-archive:back-docker.tar")).toEqual([]);
});

test.each(["oci-archive:", "docker-archive:"])(
  "an %sFILE is the same whichever of its blobs comes last",
  async (kind) => {
    const registry = start();
    await copy("oci:one", `${registry.host}/acme/app:1`);
    const manifest = JSON.parse(new TextDecoder().decode(one.get(`blobs/sha256/${digestOfOne.slice(7)}`)));
    const archives: string[] = [];
    for (const slow of ["none", manifest.config.digest, manifest.layers[0].digest]) {
      const proxy = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        async fetch(request) {
          const { pathname } = new URL(request.url);
          if (pathname.endsWith(slow)) await Bun.sleep(100);
          return fetch(`http://${registry.host}${pathname}`, { method: request.method });
        },
      });
      started.push({ stop: () => proxy.stop(true) });
      const file = `${kind.slice(0, -1)}-${slow.slice(7, 19)}.tar`;
      await copy(`127.0.0.1:${proxy.port}/acme/app:1`, `${kind}${file}`);
      archives.push(sha256Of(readFileSync(join(directory, file))));
    }
    expect(new Set(archives).size).toBe(1);
  },
);

test("what a registry has is not sent again, and what a neighbour has is mounted", async () => {
  const registry = start();
  await copy("oci:one", `${registry.host}/acme/app:1`);
  const before = registry.requests.length;
  expect(await copy("oci:one", `${registry.host}/acme/app:2`)).toMatchObject({ present: 2 });
  expect(await copy(`${registry.host}/acme/app:1`, `${registry.host}/acme/other:1`)).toMatchObject({ mounted: 2 });
  const later = registry.requests
    .slice(before)
    .filter(({ method, path }) => method === "PUT" && path.includes("/blobs/"));
  expect(later).toEqual([]);
});

test("several repositories get it, and are counted together", async () => {
  const registry = start();
  const references = [`${registry.host}/acme/b:1`, `${registry.host}/acme/b:1`];
  expect(await copy("oci:one", `${registry.host}/acme/a:1`, { references })).toMatchObject({ blobs: 4 });
  expect(registry.digestOf("acme/b", "1")).toBe(digestOfOne);
});

test("an image goes into cooper's store and out of it with its digest, and what it has is not read again", async () => {
  const registry = start();
  await copy("oci:one", `${registry.host}/acme/app:1`);
  const stored = await copy(`${registry.host}/acme/app:1`, "store:acme/app:1", { references: ["acme/app:2"] });
  expect(stored.digest).toBe(digestOfOne);
  expect(await faultsOf("store:acme/app:2")).toEqual([]);
  expect((await copy("store:acme/app:2", "oci:from-store")).digest).toBe(digestOfOne);
  const observed: [Descriptor, number][] = [];
  await copy(`${registry.host}/acme/app:1`, "store:acme/app:3", { observed });
  expect(observed).toEqual([]);
});

describe("an image for several platforms", () => {
  test("gives the store this machine's, and is found there by the digest of the whole", async () => {
    const registry = start();
    const { digest } = multi.index;
    await copy("oci:multi", `${registry.host}/acme/app:1`);
    const arm = await copy(`${registry.host}/acme/app:1`, "store:acme/arm:1", { machine: "linux/arm64" });
    expect(arm.digest).toBe(multi.arm.digest);
    expect((await copy(`store:elsewhere/app@${digest}`, "oci:narrowed")).digest).toBe(multi.arm.digest);
    const whole = await copy(`${registry.host}/acme/app:1`, "store:acme/all:1", { platforms: "all" });
    expect(whole).toMatchObject({ digest, platforms: ["linux/amd64", "linux/arm64", "linux/riscv64"] });
    expect(await faultsOf("store:acme/all:1")).toEqual([]);
  });

  test("is copied whole, byte by byte", async () => {
    const [from, to] = [start(), start()];
    const { digest } = multi.index;
    const pushed = await copy("oci:multi", `${from.host}/acme/app:1`);
    expect(pushed).toMatchObject({ digest, platforms: ["linux/amd64", "linux/arm64", "linux/riscv64"] });
    await copy(`${from.host}/acme/app@${digest}`, `${to.host}/acme/app@${digest}`);
    expect(to.read("acme/app", "manifests", digest)).toEqual(multi.files.get(`blobs/sha256/${digest.slice(7)}`));
    expect(await faultsOf(`${to.host}/acme/app@${digest}`)).toEqual([]);
  });

  test("gives the image for one of them, or an index of some of them", async () => {
    const registry = start();
    const single = await copy("oci:multi", `${registry.host}/acme/app:arm`, { platforms: ["linux/arm64"] });
    expect(single.digest).toBe(multi.arm.digest);
    const some = await copy("oci:multi", "oci:some", { platforms: ["linux/amd64", "linux/arm64"] });
    expect(some.platforms).toEqual(["linux/amd64", "linux/arm64"]);
    expect(await copy("oci:some", "oci:some-amd", { platforms: ["linux/amd64"] })).toMatchObject({
      digest: digestOfOne,
    });
  });

  test("that is not there is told with those that are", async () => {
    await expect(copy("oci:multi", "oci:never", { platforms: ["linux/s390x"] })).rejects.toThrow(
      "has no image for linux/s390x: it has linux/amd64, linux/arm64, linux/riscv64.",
    );
    await expect(copy("oci:one", "oci:never", { platforms: ["linux/arm64"] })).rejects.toThrow("it has linux/amd64");
    expect(existsSync(join(directory, "never"))).toBe(false);
  });

  test("does not fit into Docker's format", async () => {
    await expect(copy("oci:multi", "docker-archive:never.tar")).rejects.toMatchObject({
      message: "oci:multi is for several platforms, and Docker's format holds one image.",
      hint: "Choose one with --platform, for example --platform linux/amd64.",
    });
  });
});

test("a destination's digest is kept or nothing is pushed", async () => {
  const registry = start();
  const other = sha256Of("other");
  await expect(copy("oci:one", `${registry.host}/acme/app@${other}`)).rejects.toThrow(
    `The image cannot be called ${registry.host}/acme/app@${other}: its digest is ${digestOfOne}.`,
  );
  expect(registry.requests).toEqual([]);
  await copy("oci:one", `${registry.host}/acme/app@${digestOfOne}`);
  expect(registry.read("acme/app", "manifests", digestOfOne)).toBeDefined();
});

describe("a registry that misbehaves while an image is pulled", () => {
  test.each([
    ["shortened", { kind: "truncate", bytes: 40 }],
    ["changed", { kind: "alter" }],
    ["lengthened", { kind: "lengthen", bytes: 10 }],
  ] as const)("a blob or manifest that comes %s is an error, and nothing is left", async (name, fault) => {
    const registry = start();
    await copy("oci:one", `${registry.host}/acme/app:1`);
    for (const kind of ["manifests", "blobs"]) {
      registry.faults.add(new RegExp(`^GET .*/${kind}/`), fault, { times: 9 });
      const failure = await copy(`${registry.host}/acme/app:1`, `oci:bad-${name}`).catch((thrown: unknown) => thrown);
      expect(failure).toBeInstanceOf(UserError);
      expect(readdirSync(directory).filter((entry) => entry.includes(`bad-${name}`))).toEqual([]);
    }
  });

  test("a connection that breaks in the middle is gone on from there", async () => {
    const registry = start();
    await copy("oci:one", `${registry.host}/acme/app:1`);
    const proxy = await startCuttingProxy(registry.host);
    started.push(proxy);
    for (const kind of ["manifests", "blobs"]) proxy.cut(new RegExp(`^GET .*/${kind}/`), { after: "answering" });
    expect((await copy(`${proxy.host}/acme/app:1`, "oci:cut")).digest).toBe(digestOfOne);
    expect(proxy.pending()).toBe(0);
    expect(await faultsOf("oci:cut")).toEqual([]);
  });
});

test("a push that fails leaves no tag", async () => {
  const registry = start();
  registry.faults.add(/^PUT .*blobs/, { kind: "status", status: 400 }, { times: 99 });
  await expect(copy("oci:one", `${registry.host}/acme/app:1`)).rejects.toThrow("Could not push the blob");
  expect(registry.digestOf("acme/app", "1")).toBeUndefined();
});

test("a layout that is damaged is not pushed", async () => {
  const registry = start();
  const files = layoutOf();
  const layer = [...files.keys()].find((path) => path.startsWith("blobs/")) ?? "";
  const bytes = (files.get(layer) ?? new Uint8Array()).slice();
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  files.set(layer, bytes);
  writeLayout("damaged", files);
  await expect(copy("oci:damaged", `${registry.host}/acme/app:1`)).rejects.toThrow(UserError);
  expect(registry.digestOf("acme/app", "1")).toBeUndefined();
});

test("what passes by is told", async () => {
  const registry = start();
  const observed: [Descriptor, number][] = [];
  const { size } = await copy("oci:one", `${registry.host}/acme/app:1`, { observed });
  const passed = observed.reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(size - passed).toBe(entryOf(one).size);
});
