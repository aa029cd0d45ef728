import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { UserError } from "../../src/errors.ts";
import type { JsonValue } from "../../src/json.ts";
import { hexOf, sha256Of } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { openImageSource } from "../../src/workflows/open-image-source.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import { toolsIn } from "../workflows/assemble-scene.ts";

type Files = Record<string, string | Uint8Array>;

const config = JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } });

function blob(content: string): { descriptor: { mediaType: string; digest: string; size: number }; files: Files } {
  const digest = sha256Of(content);
  const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: content.length };
  return { descriptor, files: { [`blobs/sha256/${hexOf(digest)}`]: content } };
}

function layoutWith(manifest: JsonValue, change: (files: Files, digest: string) => Files = (files) => files): Files {
  const stored = blob(JSON.stringify(manifest));
  const index = JSON.stringify({ schemaVersion: 2, manifests: [stored.descriptor] });
  const files = {
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    "index.json": index,
    ...blob(config).files,
    ...stored.files,
  };
  return change(files, stored.descriptor.digest);
}

const good = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { ...blob(config).descriptor, mediaType: mediaTypes.ociConfig },
  layers: [],
};

const hostile: [string, Files, RegExp][] = [
  ["no layout file", { "index.json": "{}" }, /no oci-layout/],
  ["another layout version", { ...layoutWith(good), "oci-layout": '{"imageLayoutVersion":"2.0.0"}' }, /not valid/],
  ["an index that is no JSON", { ...layoutWith(good), "index.json": "{" }, /not valid JSON/],
  [
    "an index of nothing",
    { ...layoutWith(good), "index.json": '{"schemaVersion":2,"manifests":[]}' },
    /holds no image/,
  ],
  [
    "a digest that is a path",
    {
      ...layoutWith(good),
      "index.json": JSON.stringify({ manifests: [{ mediaType: "x", digest: "sha256:../../etc/passwd", size: 1 }] }),
    },
    /digest/,
  ],
  [
    "a manifest that was changed",
    layoutWith(good, (files, digest) => ({
      ...files,
      [`blobs/sha256/${digest.slice(7)}`]: JSON.stringify({ ...good, layers: null }),
    })),
    /Digest did not match/,
  ],
  ["layers and manifests in one document", layoutWith({ ...good, manifests: [] }), /ambiguous/],
  ["a manifest over 4 MiB", layoutWith({ ...good, annotations: { a: "x".repeat(4 * 1024 * 1024) } }), /too large/],
  ["a manifest of version 1", layoutWith({ ...good, schemaVersion: 1 }), /schema version 1/],
  [
    "an index that is called a manifest",
    layoutWith({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, manifests: [] }),
    /is called/,
  ],
];

async function withFiles(files: Files, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-hostile-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, "layout", path)), { recursive: true });
      writeFileSync(join(folder, "layout", path), content);
    }
    const entries = Object.entries(files).map(([path, content]) => ({ path, content }));
    writeFileSync(join(folder, "archive.tar"), tarOf(entries));
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function refusal(place: string, folder: string): Promise<string> {
  try {
    await (await openImageSource(parseImageTransport(place), toolsIn(folder))).close();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "";
}

test.each(hostile)("a layout with %s is refused, in a folder and in an archive", (_what, files, message) =>
  withFiles(files, async (folder) => {
    expect(await refusal("oci:layout", folder)).toMatch(message);
    expect(await refusal("oci-archive:archive.tar", folder)).toMatch(message);
  }),
);

test("the same layout without a fault is taken", () =>
  withFiles(layoutWith(good), async (folder) => {
    expect(await refusal("oci:layout", folder)).toBe("");
    expect(await refusal("oci-archive:archive.tar", folder)).toBe("");
  }));

test.each([
  ["text", new TextEncoder().encode("hello ".repeat(200)), /is no image archive/],
  ["gzip", gzipSync(tarOf([{ path: "a", content: "x".repeat(2000) }])), /is compressed/],
  ["nothing", new Uint8Array(), /neither an index.json nor a manifest.json|no oci-layout/],
  [
    "half a member",
    tarOf([{ path: "index.json", content: "x".repeat(2000) }]).subarray(0, 1024),
    /damaged: it ends inside/,
  ],
])("an archive that is %s is refused", (_what, bytes, message) =>
  withFiles({}, async (folder) => {
    writeFileSync(join(folder, "archive.tar"), bytes);
    for (const place of ["archive.tar", "oci-archive:archive.tar"]) {
      expect(await refusal(place, folder)).toMatch(message);
    }
  }),
);

test("a docker archive whose links lead out of it gives nothing from outside", () =>
  withFiles({}, async (folder) => {
    writeFileSync(join(folder, "secret"), config);
    const listing = JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: [] }]);
    const entries = [
      { path: "manifest.json", content: listing },
      { path: "config.json", type: "2", target: "../secret" },
    ];
    writeFileSync(join(folder, "archive.tar"), tarOf(entries));
    expect(await refusal("docker-archive:archive.tar", folder)).toMatch(/incomplete: it has no config.json/);
  }));

test("a place that is not there is told by name", () =>
  withFiles({}, async (folder) => {
    expect(await refusal("oci:none", folder)).toMatch(/There is no folder .*none to read an image from/);
    expect(await refusal("none.tar", folder)).toMatch(/none.tar: there is none/);
  }));
