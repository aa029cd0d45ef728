import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import type { JsonValue } from "../../src/json.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { type ImageIndex, type Manifest, parseManifest, platformsOf, selectPlatform } from "../../src/oci/manifest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { formatPlatform, parsePlatform } from "../../src/oci/platform.ts";

const what = "The manifest of registry.example/app:1";
const config = { mediaType: mediaTypes.ociConfig, digest: sha256Of("config"), size: 6 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: sha256Of("layer"), size: 5 };
const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };

function parse(document: JsonValue, contentType?: string): Manifest {
  return parseManifest(new TextEncoder().encode(JSON.stringify(document)), { what, contentType });
}

function entry(platform: string): JsonValue {
  const [os = "", architecture = "", variant] = platform.split("/");
  const written = variant === undefined ? { os, architecture } : { os, architecture, variant };
  return { mediaType: mediaTypes.ociManifest, digest: sha256Of(platform), size: 3, platform: written };
}

function indexOf(platforms: readonly string[]): ImageIndex {
  const index = parse({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: platforms.map(entry) });
  if (index.kind !== "index") throw new TypeError("expected an index");
  return index;
}

test("an OCI manifest brings config, layers and annotations", () => {
  expect(parse({ ...image, annotations: { a: "b" }, artifactType: "x/y", future: [1] })).toEqual({
    kind: "image",
    mediaType: mediaTypes.ociManifest,
    artifactType: "x/y",
    config: { ...config, annotations: {} },
    layers: [{ ...layer, annotations: {} }],
    annotations: { a: "b" },
  });
});

test("a Docker schema 2 manifest and a manifest list are read like their OCI twins", () => {
  expect(parse({ ...image, mediaType: mediaTypes.dockerManifest }).kind).toBe("image");
  expect(parse({ schemaVersion: 2, mediaType: mediaTypes.dockerManifestList, manifests: [] }).kind).toBe("index");
});

test("a document that says no media type has the one it was sent as, else OCI's", () => {
  const { mediaType: _, ...silent } = image;
  expect(parse(silent, `${mediaTypes.dockerManifest}; charset=utf-8`).mediaType).toBe(mediaTypes.dockerManifest);
  expect(parse(silent, "application/json").mediaType).toBe(mediaTypes.ociManifest);
  expect(parse(silent).mediaType).toBe(mediaTypes.ociManifest);
});

test("layers and annotations written as null count as empty", () => {
  expect(parse({ ...image, layers: null, annotations: null })).toMatchObject({ layers: [], annotations: {} });
});

test.each<[string, JsonValue, string | undefined]>([
  ["schema version 1", { schemaVersion: 1, name: "x", tag: "y", fsLayers: [] }, undefined],
  ["both an index and an image", { ...image, manifests: [] }, undefined],
  ["an index called an image", { schemaVersion: 2, mediaType: mediaTypes.ociManifest, manifests: [] }, undefined],
  ["an image sent as an index", { schemaVersion: 2, config, layers: [] }, mediaTypes.ociIndex],
  ["a digest that is a path", { ...image, config: { ...config, digest: "sha256:../../etc/passwd" } }, undefined],
  ["a negative size", { ...image, config: { ...config, size: -1 } }, undefined],
  ["a size that is no integer", { ...image, config: { ...config, size: 1e300 } }, undefined],
  ["no config", { schemaVersion: 2, layers: [] }, undefined],
  ["an array", [], undefined],
])("a manifest that is %s is refused", (_, document, contentType) => {
  expect(() => parse(document, contentType)).toThrow(UserError);
});

test("what is not JSON is refused with the name of what was read", () => {
  expect(() => parseManifest(new TextEncoder().encode("<html>"), { what })).toThrow(`${what} is not valid JSON`);
});

test("the entry for a platform is the exact one, else the closest that runs there", () => {
  const index = indexOf(["linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "linux/amd64", "linux/amd64/v3"]);
  const chosen = (platform: string) => {
    const { platform: found } = selectPlatform(index, { platform: parsePlatform(platform), what });
    return found === undefined ? undefined : formatPlatform(found);
  };
  expect(chosen("linux/arm/v7")).toBe("linux/arm/v7");
  expect(chosen("linux/arm/v6")).toBe("linux/arm/v5");
  expect(chosen("linux/arm64")).toBe("linux/arm64");
  expect(chosen("linux/aarch64/v8")).toBe("linux/arm64");
  expect(chosen("linux/amd64")).toBe("linux/amd64");
  expect(chosen("linux/amd64/v2")).toBe("linux/amd64");
  expect(chosen("linux/amd64/v4")).toBe("linux/amd64/v3");
});

test("a platform that an index lacks is refused with a list of those it has, attestations left out", () => {
  const index = indexOf(["linux/amd64", "unknown/unknown", "linux/arm64"]);
  expect(platformsOf(index).map(formatPlatform)).toEqual(["linux/amd64", "linux/arm64"]);
  expect(() => selectPlatform(index, { platform: parsePlatform("linux/s390x"), what })).toThrow(
    `${what} has no image for linux/s390x: it has linux/amd64, linux/arm64.`,
  );
});

test("an index's only entry is taken when it names no platform", () => {
  const index = parse({ schemaVersion: 2, manifests: [layer] });
  if (index.kind !== "index") throw new TypeError("expected an index");
  expect(selectPlatform(index, { platform: parsePlatform("linux/amd64"), what }).digest).toBe(layer.digest);
});
