import type { JsonObject, JsonValue } from "../../src/json.ts";
import { type Digest, hexOf, sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import type { ContentFiles } from "../../src/store/content-files.ts";
import { tarOf } from "./registry-tar.ts";

/** The files of an OCI layout in the making, by path; anything may be made wrong. */
export type LayoutFiles = Map<string, Uint8Array>;

/** A descriptor as JSON. */
export type DescriptorJson = JsonObject & { mediaType: string; digest: Digest; size: number };

/** The parts of an image that a test may want to be otherwise; what names them is made to fit. */
export type LayoutParts = {
  /** The layer's tar. */
  readonly tar?: Uint8Array<ArrayBuffer>;
  /** What the blob of the layer is made of its tar: gzip unless told. */
  readonly compress?: (tar: Uint8Array<ArrayBuffer>) => Uint8Array;
  readonly layer?: JsonObject;
  readonly config?: JsonObject;
  readonly configDescriptor?: JsonObject;
  readonly manifest?: JsonObject;
  readonly entry?: JsonObject;
  readonly index?: JsonObject;
};

/** A tar as a layer may hold it: a folder, a file, a symlink and a hard link. */
export const goodTar = tarOf([
  { path: "etc/", type: "5" },
  { path: "etc/motd", content: "hello\n" },
  { path: "etc/link", type: "2", target: "/etc/motd" },
  { path: "etc/again", type: "1", target: "etc/motd" },
  { path: "etc/.wh.old" },
]);

/** A layout of one image with one layer, right in everything but the parts given. */
export function layoutOf(parts: LayoutParts = {}): LayoutFiles {
  const files: LayoutFiles = new Map();
  const { tar = goodTar, compress = (bytes: Uint8Array<ArrayBuffer>) => Bun.gzipSync(bytes) } = parts;
  const layer = { ...putBlob(files, compress(tar), mediaTypes.ociLayerGzip), ...parts.layer };
  const config = {
    created: "2024-02-29T23:59:59.123+01:00",
    architecture: "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin", "EMPTY="], Cmd: ["sh"], ExposedPorts: { "80/tcp": {} }, Labels: { a: "b" } },
    rootfs: { type: "layers", diff_ids: [sha256Of(tar)] },
    history: [
      { created: "1970-01-01T00:00:00Z", created_by: "test" },
      { created_by: "ENV", empty_layer: true },
    ],
    ...parts.config,
  };
  const configDescriptor = { ...putJson(files, config, mediaTypes.ociConfig), ...parts.configDescriptor };
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: configDescriptor,
    layers: [layer],
    ...parts.manifest,
  };
  const platform = { os: "linux", architecture: "amd64" };
  const entry = { ...putJson(files, manifest, mediaTypes.ociManifest), platform, ...parts.entry };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry], ...parts.index };
  files.set("index.json", encode(index));
  files.set("oci-layout", encode({ imageLayoutVersion: "1.0.0" }));
  return files;
}

/** What `index.json` of a layout names. */
export function entryOf(files: LayoutFiles): DescriptorJson {
  const index: { manifests: [DescriptorJson] } = JSON.parse(new TextDecoder().decode(files.get("index.json")));
  return index.manifests[0];
}

/** A layout of an index for three platforms; `index` and `arm` are what names the whole and one of its images. */
export function multiPlatformLayout(): { files: LayoutFiles; index: DescriptorJson; arm: DescriptorJson } {
  const one = layoutOf();
  const arm = layoutOf({ config: { architecture: "arm64" } });
  const riscv = layoutOf({ config: { architecture: "riscv64" } });
  const files: LayoutFiles = new Map([...arm, ...riscv, ...one]);
  const manifests = [
    entryOf(one),
    { ...entryOf(arm), platform: { os: "linux", architecture: "arm64" } },
    { ...entryOf(riscv), platform: { os: "linux", architecture: "riscv64" } },
  ];
  const index = putJson(files, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
  files.set("index.json", encode({ schemaVersion: 2, manifests: [index] }));
  return { files, index, arm: entryOf(arm) };
}

/** Puts a blob under its digest; gives its descriptor. */
export function putBlob(files: LayoutFiles, bytes: Uint8Array, mediaType: string): DescriptorJson {
  const digest = sha256Of(bytes);
  files.set(`blobs/sha256/${hexOf(digest)}`, bytes);
  return { mediaType, digest, size: bytes.length };
}

/** Puts a document under its digest; gives its descriptor. */
export function putJson(files: LayoutFiles, document: JsonValue, mediaType: string): DescriptorJson {
  return putBlob(files, encode(document), mediaType);
}

function encode(document: JsonValue): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}

/** The files as a layout in memory, given out in small chunks. */
export function filesInMemory(files: LayoutFiles): ContentFiles {
  return {
    what: "image",
    read: async (path) => files.get(path),
    chunks: async (path) => {
      const bytes = files.get(path);
      return bytes === undefined ? undefined : { size: bytes.length, chunks: inChunks(bytes) };
    },
    close: async () => {},
  };
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 300) yield bytes.subarray(offset, offset + 300);
}
