import { describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { BlobSource } from "../../src/oci/content.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, sha256Of } from "../../src/oci/digest.ts";
import { verifiedChunks } from "../../src/oci/verified-content.ts";
import { readLayerFiles } from "../../src/workflows/read-layer-files.ts";
import { type TarMember, tarOf } from "../fakes/registry-tar.ts";

type Blob = { readonly descriptor: Descriptor; readonly bytes: Uint8Array };

/** An image in memory whose layers, bottom first, are these blobs; `opened` counts how often each was read. */
function imageOf(blobs: readonly Blob[]) {
  const opened: Digest[] = [];
  const open: BlobSource["open"] = (descriptor) => {
    const blob = blobs.find(({ descriptor: { digest } }) => digest === descriptor.digest);
    if (blob === undefined) throw new Error(`nothing has ${descriptor.digest}`);
    opened.push(descriptor.digest);
    return verifiedChunks(inPieces(blob.bytes), { ...descriptor, resource: "the layer" });
  };
  return { source: { open }, opened, image: { layers: blobs.map(({ descriptor }) => descriptor) } };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 333) yield bytes.subarray(offset, offset + 333);
}

function layerOf(members: readonly TarMember[], compress: (tar: Uint8Array) => Uint8Array = gzipSync): Blob {
  return blobOf(compress(tarOf(members)));
}

function blobOf(bytes: Uint8Array): Blob {
  const descriptor = { mediaType: "layer", digest: sha256Of(bytes), size: bytes.length, annotations: {} };
  return { bytes, descriptor };
}

const readText = (content: Uint8Array | undefined) =>
  content === undefined ? "no text" : new TextDecoder().decode(content);
const isText = (path: string) => path.startsWith("/etc/");

async function find(blobs: readonly Blob[], paths: readonly string[]) {
  const { source, image, opened } = imageOf(blobs);
  const found = await readLayerFiles(source, { image, what: "acme/base", paths, isText, readText });
  return { found: Object.fromEntries(found), opened };
}

const etc = { path: "etc/", type: "5" };
const passwd = (content: string): TarMember => ({ path: "etc/passwd", content });

describe("files of layers", () => {
  test.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
    ["no compression", (tar: Uint8Array) => tar],
  ])("texts are read and other files only seen, with %s", async (_, compress) => {
    const layer = layerOf(
      [etc, passwd(`root:x:0:0:${"x".repeat(2000)}\n`), { path: "./bin/sh", content: "program" }],
      compress,
    );
    expect((await find([layer], ["/etc/passwd", "/etc/group", "/bin/sh"])).found).toEqual({
      "/etc/passwd": `root:x:0:0:${"x".repeat(2000)}\n`,
      "/bin/sh": "",
    });
  });

  test("the topmost layer's file counts, and no layer below is read once nothing there can change it", async () => {
    const [below, above] = [layerOf([etc, passwd("old\n")]), layerOf([etc, passwd("new\n")])];
    const { found, opened } = await find([below, above], ["/etc/passwd"]);
    expect(found).toEqual({ "/etc/passwd": "new\n" });
    expect(opened).toEqual([above.descriptor.digest]);
  });

  test("a file without an entry for its folder may lie behind a symlink of a layer below", async () => {
    const below = layerOf([{ path: "etc", type: "2", target: "private/etc" }, passwd("old\n")]);
    const above = layerOf([passwd("new\n")]);
    const { found, opened } = await find([below, above], ["/etc/passwd"]);
    expect(found).toEqual({ "/etc/passwd": "new\n" });
    expect(new Set(opened).size).toBe(2);
  });

  test("whiteouts and opaque folders hide what is below them, wherever they stand in their layer", async () => {
    const below = layerOf([etc, passwd("old\n"), { path: "etc/group", content: "old\n" }, { path: "opt/a" }]);
    const hidden = layerOf([
      { path: "etc/group", content: "new\n" },
      { path: "etc/.wh..wh..opq" },
      { path: ".wh.opt" },
    ]);
    expect((await find([below, hidden], ["/etc/passwd", "/etc/group", "/opt/a"])).found).toEqual({
      "/etc/group": "new\n",
    });
    const removed = layerOf([{ path: "etc/.wh.passwd" }]);
    expect((await find([below, removed], ["/etc/passwd", "/etc/group"])).found).toEqual({ "/etc/group": "old\n" });
    const again = layerOf([passwd("again\n")]);
    expect((await find([below, removed, again], ["/etc/passwd"])).found).toEqual({ "/etc/passwd": "again\n" });
  });

  test("a whiteout hides the real file when its own path leads through a symlinked folder", async () => {
    const below = layerOf([
      { path: "lib", type: "2", target: "usr/lib" },
      { path: "usr/lib/", type: "5" },
      { path: "usr/lib/ld.so" },
    ]);
    expect((await find([below], ["/lib/ld.so"])).found).toEqual({ "/lib/ld.so": "" });
    expect((await find([below, layerOf([{ path: "usr/lib/.wh.ld.so" }])], ["/lib/ld.so"])).found).toEqual({});
    expect((await find([below, layerOf([{ path: "lib/.wh.ld.so" }])], ["/lib/ld.so"])).found).toEqual({});
  });

  test("symlinked folders are followed inside the image alone, absolute, relative and upwards", async () => {
    const layer = layerOf([
      { path: "lib64", type: "2", target: "../../../usr/lib64" },
      { path: "sbin", type: "2", target: "/usr/sbin" },
      { path: "usr/lib64/ld.so" },
      { path: "usr/sbin", type: "2", target: "bin" },
      { path: "usr/bin/apk" },
      { path: "etc", type: "2", target: "/private/./etc/" },
      { path: "private/etc/passwd", content: "far\n" },
    ]);
    expect((await find([layer], ["/lib64/ld.so", "/sbin/apk", "/etc/passwd"])).found).toEqual({
      "/lib64/ld.so": "",
      "/sbin/apk": "",
      "/etc/passwd": "far\n",
    });
  });

  test("a folder of an upper layer takes the place of a symlink, and a file that of a folder", async () => {
    const below = layerOf([
      { path: "etc", type: "2", target: "private" },
      { path: "private/passwd", content: "old\n" },
    ]);
    expect((await find([below, layerOf([etc])], ["/etc/passwd"])).found).toEqual({});
    expect((await find([below, layerOf([{ path: "private" }])], ["/etc/passwd"])).found).toEqual({});
  });

  test("a text behind a symlink or a hard link is that of the file it leads to", async () => {
    const layer = layerOf([
      { path: "usr/share/users", content: "linked\n" },
      { path: "etc/passwd", type: "2", target: "../usr/share/users" },
      { path: "etc/group", type: "1", target: "usr/share/users" },
    ]);
    expect((await find([layer], ["/etc/passwd", "/etc/group"])).found).toEqual({
      "/etc/passwd": "linked\n",
      "/etc/group": "linked\n",
    });
  });

  test("symlinks in a circle or to nothing lead to no file", async () => {
    const layer = layerOf([
      { path: "etc/passwd", type: "2", target: "group" },
      { path: "etc/group", type: "2", target: "passwd" },
      { path: "lib", type: "2", target: "lib" },
      { path: "sbin", type: "2", target: "nowhere" },
    ]);
    const paths = ["/etc/passwd", "/etc/group", "/lib/ld.so", "/sbin/apk"];
    expect((await find([layer], paths)).found).toEqual({});
  });

  test("long names in pax and GNU form, and a layer without its final zero blocks, are read", async () => {
    const deep = `usr/${"long/".repeat(40)}users`;
    const tar = tarOf([
      { path: deep, content: "deep\n", format: "gnu" },
      { path: "etc/passwd", type: "2", target: `/${deep}`, format: "pax" },
    ]);
    expect((await find([blobOf(tar.subarray(0, tar.length - 1024))], ["/etc/passwd"])).found).toEqual({
      "/etc/passwd": "deep\n",
    });
  });
});

describe("layers that are not trusted", () => {
  test("a file of a layer whose bytes are not those of its digest is not used", async () => {
    const honest = layerOf([etc, passwd("honest\n")]);
    const lie = { descriptor: honest.descriptor, bytes: layerOf([etc, passwd("lying!\n")]).bytes };
    await expect(find([lie], ["/etc/passwd"])).rejects.toThrow("Digest did not match");
  });

  test("a layer that ends inside a file, or is no tar, is an error that names it", async () => {
    const whole = tarOf([etc, passwd("x".repeat(3000))]);
    await expect(find([blobOf(gzipSync(whole.subarray(0, 2048)))], ["/etc/passwd"])).rejects.toThrow(
      /^Layer 1 of acme\/base \(sha256:[0-9a-f]{64}\) cannot be read: it ends inside an entry\.$/,
    );
    await expect(find([blobOf(new Uint8Array(2048).fill(7))], ["/etc/passwd"])).rejects.toThrow("cannot be read");
  });

  test("texts without end are not read, and many of them refused", async () => {
    const large = passwd("x".repeat(1024 * 1024 + 1));
    expect((await find([layerOf([etc, large])], ["/etc/passwd"])).found).toEqual({ "/etc/passwd": "no text" });
    const many = Array.from({ length: 70 }, () => passwd("x".repeat(1024 * 1024)));
    await expect(find([layerOf(many)], ["/etc/passwd"])).rejects.toThrow("is not looked into");
  });

  test("names that lead upwards stay in the image", async () => {
    const layer = layerOf([{ path: "../../etc/passwd", content: "inside\n" }]);
    expect((await find([layer], ["/etc/passwd"])).found).toEqual({ "/etc/passwd": "inside\n" });
  });

  test("symlinks that lead on and on are given up on", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `step${index}`);
    const links = names.map((name, index) => ({ path: name, type: "2", target: names[index + 1] ?? "end" }));
    const layer = layerOf([{ path: "etc/passwd", type: "2", target: "/step0" }, ...links]);
    await expect(find([layer], ["/etc/passwd"])).rejects.toThrow("behind too many symlinks");
  });
});
