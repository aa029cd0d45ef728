import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/json.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { validateLayout } from "../../src/store/validate-layout.ts";
import {
  filesInMemory,
  goodTar,
  type LayoutFiles,
  type LayoutParts,
  layoutOf,
  putBlob,
  putJson,
} from "../fakes/image-layout.ts";
import { concatBytes } from "../fakes/registry-tar.ts";

async function faultsOf(files: LayoutFiles): Promise<string[]> {
  const { faults } = await validateLayout(filesInMemory(files), undefined);
  return faults.map(({ kind, place, problem }) => `${kind}: ${place}: ${problem}`);
}

/** Digests and their images in messages, shortened to what a test can say. */
const faultsWith = (parts: LayoutParts) => faultsOf(layoutOf(parts));
const digest = "sha256:[0-9a-f]{64}";
const zeros = sha256Of("other");

test("a good image has no faults, however it is compressed", async () => {
  expect(await faultsWith({})).toEqual([]);
  const zstd = { compress: (tar: Uint8Array<ArrayBuffer>) => Bun.zstdCompressSync(tar) };
  expect(await faultsWith({ ...zstd, layer: { mediaType: mediaTypes.ociLayerZstd } })).toEqual([]);
  expect(await faultsWith({ compress: (tar) => tar, layer: { mediaType: mediaTypes.ociLayer } })).toEqual([]);
  const members = [goodTar.slice(0, 1000), goodTar.slice(1000)].map((part) => Bun.gzipSync(part));
  expect(await faultsWith({ compress: () => concatBytes(members) })).toEqual([]);
});

test("what is counted is what was looked at", async () => {
  const { counted } = await validateLayout(filesInMemory(layoutOf()), undefined);
  expect(counted).toEqual({ manifests: 1, layers: 1 });
});

test("Docker's media types are as good", async () => {
  const parts = {
    layer: { mediaType: mediaTypes.dockerLayerGzip },
    configDescriptor: { mediaType: mediaTypes.dockerConfig },
    manifest: { mediaType: mediaTypes.dockerManifest },
    entry: { mediaType: mediaTypes.dockerManifest },
  };
  expect(await faultsWith(parts)).toEqual([]);
});

describe("of the layout itself", () => {
  const changed = (path: string, content: string | undefined) => {
    const files = layoutOf();
    if (content === undefined) files.delete(path);
    else files.set(path, new TextEncoder().encode(content));
    return faultsOf(files);
  };

  test.each([
    ["oci-layout", undefined, ["missing: oci-layout: it is not there"]],
    [
      "oci-layout",
      '{"imageLayoutVersion":"9.0.0"}',
      ['layout-version: oci-layout: its version is "9.0.0": 1.0.0 was expected'],
    ],
    ["oci-layout", "{}", ["layout-version: oci-layout: it has no imageLayoutVersion: 1.0.0 was expected"]],
    ["oci-layout", "1.0.0", [expect.stringMatching(/^json: oci-layout: it is no JSON: /)]],
    ["index.json", undefined, ["missing: index.json: it is not there"]],
    ["index.json", '{"schemaVersion":2,"manifests":[]}', ["missing: index.json: it names no image"]],
    ["index.json", '{"schemaVersion":2,"manifests":[]} x', [expect.stringMatching(/^json: index\.json: /)]],
    [
      "index.json",
      '{"schemaVersion":1,"manifests":[]}',
      [expect.stringMatching(/^field: index\.json: schemaVersion: /)],
    ],
  ])("%s being %s is told", async (path, content, expected) => {
    expect(await changed(path, content)).toEqual(expected);
  });
});

describe("of a descriptor", () => {
  test("a wrong size of a manifest, config or layer is told", async () => {
    expect(await faultsWith({ entry: { size: 7 } })).toEqual([
      expect.stringMatching(new RegExp(`^size: manifest ${digest}: it has \\d+ bytes, its descriptor says 7$`)),
    ]);
    expect(await faultsWith({ configDescriptor: { size: 7 } })).toEqual([
      expect.stringMatching(new RegExp(`^size: config ${digest}: it has \\d+ bytes, its descriptor says 7$`)),
    ]);
    expect(await faultsWith({ layer: { size: 7 } })).toEqual([
      expect.stringMatching(new RegExp(`^size: layer 1 \\(${digest}\\): it has \\d+ bytes, its descriptor says 7$`)),
    ]);
  });

  test.each([
    ["manifest", { entry: { digest: zeros } }],
    ["config", { configDescriptor: { digest: zeros } }],
    ["layer 1", { layer: { digest: zeros } }],
  ])("a %s that is not there is told", async (what, parts) => {
    const faults = await faultsWith(parts);
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^missing: ${what} \\(?${zeros}\\)?: it is not there$`))]);
  });

  test.each([
    ["manifest", 2],
    ["config", 1],
    ["layer", 0],
  ])("a %s whose content is another is told", async (_, position) => {
    const files = layoutOf();
    const blobs = [...files.keys()].filter((path) => path.startsWith("blobs/"));
    const path = blobs[position] ?? "";
    const bytes = (files.get(path) ?? new Uint8Array()).slice();
    // Where it does no other harm: in the time of gzip's header, or in a digit of a date.
    const at = position === 0 ? 4 : bytes.length - 1;
    bytes[at] = position === 0 ? 1 : 0x20;
    files.set(path, bytes);
    const faults = await faultsOf(files);
    expect(faults[0]).toMatch(new RegExp(`^digest: .*sha256:${path.slice(-64)}.*: its content is ${digest}$`));
  });

  test("a digest of another form, a missing size and a media type that is none are told by their path", async () => {
    expect(await faultsWith({ layer: { digest: "md5:1", size: null, mediaType: "tar" } })).toEqual([
      expect.stringMatching(/^field: manifest .*: layers\.0\.mediaType: expected type\/subtype$/),
      expect.stringMatching(/^field: manifest .*: layers\.0\.digest: expected "sha256:" followed by/),
      expect.stringMatching(/^field: manifest .*: layers\.0\.size: /),
    ]);
  });

  test("embedded data that is not what the descriptor says is told", async () => {
    expect(await faultsWith({ configDescriptor: { data: Buffer.from("{}").toString("base64") } })).toEqual([
      expect.stringMatching(/^digest: manifest .*: the data in the descriptor of .* is not what it describes$/),
    ]);
  });
});

describe("of a media type", () => {
  test("an index that calls itself an image and an image that is called an index are told", async () => {
    expect(await faultsWith({ index: { mediaType: mediaTypes.ociManifest } })).toEqual([
      `media-type: index.json: it calls itself ${mediaTypes.ociManifest}, but is an index`,
    ]);
    expect(await faultsWith({ entry: { mediaType: mediaTypes.ociIndex } })).toEqual([
      expect.stringMatching(/^media-type: index .*: its descriptor calls it .*index.*, but it is an image$/),
    ]);
  });

  test("a manifest that is called by two names is told", async () => {
    expect(await faultsWith({ entry: { mediaType: mediaTypes.dockerManifest } })).toEqual([
      expect.stringMatching(/^media-type: manifest .*: its descriptor calls it .*docker.*, it calls itself .*oci/),
    ]);
  });

  test("a layer that is compressed otherwise than it says is told", async () => {
    const words: [string, string, RegExp][] = [
      [mediaTypes.ociLayer, "gzip", /says an uncompressed tar, but it is gzip$/],
      [mediaTypes.ociLayerZstd, "gzip", /says zstd, but it is gzip$/],
      [mediaTypes.ociLayerGzip, "none", /says gzip, but it is an uncompressed tar$/],
    ];
    for (const [mediaType, real, expected] of words) {
      const compress = (tar: Uint8Array<ArrayBuffer>) => (real === "gzip" ? Bun.gzipSync(tar) : tar);
      expect(await faultsWith({ compress, layer: { mediaType } })).toEqual([expect.stringMatching(expected)]);
    }
  });

  test("an image's layer or config of an unknown type is told", async () => {
    expect(await faultsWith({ layer: { mediaType: "application/octet-stream" } })).toEqual([
      expect.stringMatching(/^media-type: layer 1 .*: application\/octet-stream is no media type of a layer$/),
    ]);
    expect(await faultsWith({ configDescriptor: { mediaType: "application/json" } })).toEqual([
      expect.stringMatching(/^media-type: config .*: it is the config of an image, and its media type is/),
    ]);
  });

  test("a document that is index and image at once is told", async () => {
    expect(await faultsWith({ manifest: { manifests: [] } })).toEqual([
      expect.stringMatching(/^ambiguous: manifest .*: it has both manifests and layers/),
    ]);
    expect(await faultsWith({ index: { layers: [] } })).toEqual([expect.stringMatching(/^ambiguous: index\.json: /)]);
  });

  test("what is no image may have any types", async () => {
    const files = layoutOf();
    const config = putBlob(files, new TextEncoder().encode("{}"), "application/vnd.oci.empty.v1+json");
    const layer = putBlob(files, new TextEncoder().encode("anything"), "text/plain");
    const artifact = { schemaVersion: 2, artifactType: "text/plain", config, layers: [layer] };
    const entry = putJson(files, artifact, mediaTypes.ociManifest);
    files.set("index.json", new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests: [entry] })));
    expect(await faultsOf(files)).toEqual([]);
  });
});

describe("of a config", () => {
  const rootfs = { type: "layers", diff_ids: [sha256Of(goodTar)] };

  test("wrong and missing diff ids are told", async () => {
    expect(await faultsWith({ config: { rootfs: { ...rootfs, diff_ids: [zeros] } } })).toEqual([
      expect.stringMatching(
        new RegExp(`^diff-id: config .*: it names ${zeros} as diff id of layer 1, which is ${digest}$`),
      ),
    ]);
    expect(await faultsWith({ config: { rootfs: { ...rootfs, diff_ids: [] } } })).toEqual([
      expect.stringMatching(/^diff-id-count: config .*: it names 0 diff ids, and there are 1 layers$/),
    ]);
  });

  test("a history that tells of other layers is told, none at all is not", async () => {
    expect(await faultsWith({ config: { history: [{}, {}] } })).toEqual([
      expect.stringMatching(/^history-count: config .*: its history tells of 2 layers, and there are 1$/),
    ]);
    expect(await faultsWith({ config: { history: [] } })).toEqual([]);
  });

  const wrong: [string, JsonObject, RegExp][] = [
    ["no architecture", { architecture: null }, /architecture: /],
    ["an empty system", { os: "" }, /os: expected an operating system/],
    ["no rootfs", { rootfs: null }, /rootfs: /],
    ["another type of rootfs", { rootfs: { ...rootfs, type: "tar" } }, /rootfs\.type: /],
    ["a day that is none", { created: "2023-02-29T00:00:00Z" }, /created: expected a date and time/],
    ["a date without time", { created: "2024-01-01" }, /created: expected a date and time/],
    ["a variable without value", { config: { Env: ["PATH"] } }, /config\.Env\.0: expected NAME=value/],
    ["a variable without name", { config: { Env: ["A=1", "=x"] } }, /config\.Env\.1: expected NAME=value/],
    ["a command in one string", { config: { Cmd: "sh" } }, /config\.Cmd: /],
    ["a port that is none", { config: { ExposedPorts: { http: {} } } }, /config\.ExposedPorts\.http: expected a port/],
    ["a label that is a number", { config: { Labels: { a: 1 } } }, /config\.Labels\.a: /],
    ["a user that is a number", { config: { User: 0 } }, /config\.User: /],
    ["a history entry that is text", { history: ["x"] }, /history\.0: /],
  ];
  test.each(wrong)("%s is told by its path", async (_, config, expected) => {
    const faults = await faultsWith({ config });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^field: config sha256:/);
    expect(faults[0]).toMatch(expected);
  });

  test("another platform than the index says is told", async () => {
    expect(await faultsWith({ config: { architecture: "arm64" } })).toEqual([
      expect.stringMatching(/^platform: manifest .*: the index says linux\/amd64, its config linux\/arm64$/),
    ]);
  });
});

test("a manifest over 4 MiB is told", async () => {
  const annotations = { large: "x".repeat(4 * 1024 * 1024) };
  expect(await faultsWith({ manifest: { annotations } })).toEqual([
    expect.stringMatching(
      /^too-large: manifest .*: it has more than 4194304 bytes, which registries and engines refuse$/,
    ),
  ]);
});

test("an image inside an index inside the layout is found, and what two images share is told once", async () => {
  const files = layoutOf({ compress: () => concatBytes([Bun.gzipSync(goodTar), new Uint8Array(3)]) });
  const layout: { manifests: JsonObject[] } = JSON.parse(new TextDecoder().decode(files.get("index.json")));
  const [entry = {}] = layout.manifests;
  const manifest: JsonObject = JSON.parse(new TextDecoder().decode(manifestOf(files, entry)));
  const second = putJson(files, { ...manifest, annotations: { second: "yes" } }, mediaTypes.ociManifest);
  const inner = putJson(files, { schemaVersion: 2, manifests: [entry, second] }, mediaTypes.ociIndex);
  files.set("index.json", new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests: [inner] })));
  expect(await faultsOf(files)).toEqual([expect.stringMatching(/3 bytes follow the end of its gzip stream$/)]);
});

function manifestOf(files: LayoutFiles, entry: JsonObject): Uint8Array {
  const path = `blobs/sha256/${String(entry["digest"]).slice("sha256:".length)}`;
  return files.get(path) ?? new Uint8Array();
}

test("every fault is told, not only the first", async () => {
  const faults = await faultsWith({
    layer: { size: 1, mediaType: mediaTypes.ociLayer },
    config: { history: [{}, {}] },
    entry: { size: 2 },
  });
  expect(faults.map((fault) => fault.split(":")[0])).toEqual(["size", "size", "media-type", "history-count"]);
});
