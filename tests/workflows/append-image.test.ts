import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { sha256Of } from "../../src/oci/digest.ts";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { inspectImage } from "../../src/workflows/inspect-image.ts";
import { validateImage } from "../../src/workflows/validate-image.ts";
import { type FakeRegistry, startFakeRegistry } from "../fakes/registry.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import { append, assemble, contentOf, jsonOf, membersOf, toolsIn, withFolder } from "./assemble-scene.ts";

const started: FakeRegistry[] = [];
afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

function start(): FakeRegistry {
  const registry = startFakeRegistry();
  started.push(registry);
  return registry;
}

function makeFolder(folder: string, name: string): string {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, name), name);
  return name;
}

const archive = tarOf([
  { path: "etc/", type: "5" },
  { path: "etc/motd", content: "hello\n" },
]);

test("folders and archives become layers in the order given, on every platform of the base", () =>
  withFolder(async (folder) => {
    makeFolder(folder, "below");
    makeFolder(folder, "above");
    writeFileSync(join(folder, "plain.tar"), archive);
    writeFileSync(join(folder, "packed.tgz"), gzipSync(archive));
    writeFileSync(join(folder, "packed.tar.zst"), zstdCompressSync(archive));
    await assemble(folder, ["below", "-o", "oci:base", "--platform", "linux/amd64,linux/arm64"]);
    const layers = ["above", "plain.tar", "packed.tgz", "packed.tar.zst"];
    const image = await append(folder, ["oci:base", ...layers, "-o", "image.tar", "--label", "a=b"]);
    expect(image.platforms).toEqual(["linux/amd64", "linux/arm64"]);
    const members = membersOf(join(folder, "image.tar"));
    const index = jsonOf(members, `blobs/sha256/${image.digest.slice(7)}`);
    for (const entry of index.manifests) {
      const manifest = jsonOf(members, `blobs/sha256/${entry.digest.slice(7)}`);
      const config = jsonOf(members, `blobs/sha256/${manifest.config.digest.slice(7)}`);
      expect(config.rootfs.diff_ids.slice(2)).toEqual(Array.from({ length: 3 }, () => sha256Of(archive)));
      expect(config.history.map((line: { created_by: string }) => line.created_by)).toEqual([
        "cooper image assemble",
        ...Array.from({ length: 4 }, () => "cooper image append"),
      ]);
      expect(config.config.Labels).toEqual({ a: "b" });
      expect(manifest.layers.map((layer: { mediaType: string }) => layer.mediaType.split("+")[1])).toEqual([
        "gzip",
        "gzip",
        "gzip",
        "gzip",
        "zstd",
      ]);
      expect(gunzipSync(contentOf(members, `blobs/sha256/${manifest.layers[2].digest.slice(7)}`))).toEqual(
        Buffer.from(archive),
      );
      // Packed already: kept byte by byte.
      expect(manifest.layers[3].digest).toBe(sha256Of(gzipSync(archive)));
    }
    expect(await validateImage(parseImageTransport("image.tar"), toolsIn(folder))).toMatchObject({ faults: [] });
  }));

test("a layer that comes twice counts once, in what is made and in what is shown", () =>
  withFolder(async (folder) => {
    makeFolder(folder, "same");
    const base = await assemble(folder, ["same", "-o", "oci:base"]);
    const image = await append(folder, ["oci:base", "same", "same", "-o", "oci:image"]);
    expect(new Set(image.layers.map(({ digest }) => digest))).toEqual(new Set(base.layers.map(({ digest }) => digest)));
    const shown = await inspectImage(parseImageTransport("oci:image"), toolsIn(folder), { platform: undefined });
    expect(shown.size).toBe(image.size);
    expect(shown.layers).toHaveLength(3);
  }));

test("--platform takes one of the base's images", () =>
  withFolder(async (folder) => {
    makeFolder(folder, "below");
    makeFolder(folder, "above");
    await assemble(folder, ["below", "-o", "oci:base", "--platform", "linux/amd64,linux/arm64"]);
    const image = await append(folder, ["oci:base", "above", "-o", "image.tar", "--platform", "linux/arm64"]);
    const members = membersOf(join(folder, "image.tar"));
    expect(jsonOf(members, `blobs/sha256/${image.digest.slice(7)}`).layers).toHaveLength(2);
  }));

test.each([
  ["text", new TextEncoder().encode("no archive at all"), "layer cannot be a layer"],
  ["half an archive", archive.subarray(0, 1100), "layer cannot be a layer"],
  ["broken gzip", gzipSync(archive).subarray(0, 60), "its gzip stream is damaged"],
  ["gzip with more after it", Buffer.concat([gzipSync(archive), Buffer.from("trailing")]), "cannot be a layer"],
  ["a way out", tarOf([{ path: "../../etc/passwd", content: "x" }]), "cannot be a layer"],
])("%s is refused as a layer, and nothing is left", (_what, bytes, message) =>
  withFolder(async (folder) => {
    makeFolder(folder, "below");
    await assemble(folder, ["below", "-o", "oci:base"]);
    writeFileSync(join(folder, "layer"), bytes);
    await expect(append(folder, ["oci:base", "layer", "-o", "image.tar"])).rejects.toThrow(message);
    expect(readdirSync(folder).sort()).toEqual(["base", "below", "layer"]);
  }),
);

test("a push to the base's registry mounts what the base has, and uploads and downloads none of it", () =>
  withFolder(async (folder) => {
    const { host, ...registry } = start();
    makeFolder(folder, "below");
    makeFolder(folder, "above");
    const base = await assemble(folder, ["below", "-o", `docker://${host}/team/base:1`]);
    registry.requests.length = 0;
    const image = await append(folder, [`${host}/team/base:1`, "above", "--push", "-t", `${host}/team/app:2`]);
    expect<string | undefined>(registry.digestOf("team/app", "2")).toBe(image.digest);
    const [layer] = base.layers;
    const about = registry.requests.filter(({ path }) => layer !== undefined && path.includes(layer.digest));
    expect(about.filter(({ method }) => method === "GET")).toEqual([]);
    expect(about.filter(({ method }) => method === "POST").map(({ path }) => path)).toEqual([
      `/v2/team/app/blobs/uploads/?mount=${layer?.digest}&from=team%2Fbase`,
    ]);
    expect(await validateImage(parseImageTransport(`docker://${host}/team/app:2`), toolsIn(folder))).toMatchObject({
      faults: [],
    });
  }));

test("an image goes to disk and to registries at once, with one digest under all its names", () =>
  withFolder(async (folder) => {
    const [first, second] = [start(), start()];
    makeFolder(folder, "tree");
    const names = [`${first.host}/a/one:1`, `${first.host}/a/one:2`, `${second.host}/b/two:1`];
    const image = await assemble(folder, [
      "tree",
      "-o",
      "image.tar",
      "--push",
      ...names.flatMap((name) => ["-t", name]),
    ]);
    expect(image.tags).toEqual(names);
    expect<(string | undefined)[]>([
      first.digestOf("a/one", "1"),
      first.digestOf("a/one", "2"),
      second.digestOf("b/two", "1"),
      jsonOf(membersOf(join(folder, "image.tar")), "index.json").manifests[0].digest,
    ]).toEqual([image.digest, image.digest, image.digest, image.digest]);
  }));

test("an index goes to a registry with all its images", () =>
  withFolder(async (folder) => {
    const { host } = start();
    makeFolder(folder, "tree");
    const argv = ["tree", "--push", "-t", `${host}/a/b:1`, "--platform", "linux/amd64,linux/arm64"];
    await assemble(folder, argv);
    expect(await validateImage(parseImageTransport(`docker://${host}/a/b:1`), toolsIn(folder))).toMatchObject({
      faults: [],
      manifests: 3,
    });
    expect(readdirSync(join(folder, ".cache", "cooper", "images"))).toEqual([]);
  }));

test("--push without a name is refused", () =>
  withFolder(async (folder) => {
    makeFolder(folder, "tree");
    await expect(assemble(folder, ["tree", "--push", "-o", "x.tar"])).rejects.toThrow("--push needs a name");
  }));
