import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalImageSink } from "../../src/oci/content.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { documentsOf, emptyImage } from "../../src/oci/image.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { readTar } from "../../src/oci/tar.ts";
import { openArchive, openFolder } from "../../src/store/content-files.ts";
import { openArchiveSink } from "../../src/store/image-archive-sink.ts";
import { openLayoutSink } from "../../src/store/oci-layout-sink.ts";
import { openLayoutSource } from "../../src/store/oci-layout-source.ts";

const linux = { os: "linux", architecture: "amd64", variant: undefined };

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-sinks-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(bytes: Uint8Array): Descriptor {
  return { mediaType: mediaTypes.ociLayer, digest: sha256Of(bytes), size: bytes.length, annotations: {} };
}

async function* chunksOf(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** An image of these blobs, finished. */
async function writeImage(sink: LocalImageSink, blobs: readonly Uint8Array[]): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const bytes of blobs) {
    const produced = sink.writeNew(async (write) => {
      write(bytes.subarray(0, 1));
      write(bytes.subarray(1));
      return describe(bytes);
    });
    layers.push(await produced);
  }
  const { config, manifest } = documentsOf({ ...emptyImage(linux, "1970-01-01T00:00:00Z"), layers });
  await sink.write(config.descriptor, chunksOf(config.bytes));
  await sink.finish(manifest);
  return manifest.descriptor;
}

const [first, second] = [Buffer.from("first layer"), Buffer.alloc(5000, 7)];

const sinks: [string, (folder: string) => LocalImageSink][] = [
  ["an archive", (folder) => openArchiveSink(join(folder, "out"), { format: "both", names: [] })],
  ["an OCI archive", (folder) => openArchiveSink(join(folder, "out"), { format: "oci", names: [] })],
  ["a layout", (folder) => openLayoutSink(join(folder, "out"), [])],
];

test.each(sinks)("%s holds what was written, and each content once", (what, open) =>
  withFolder(async (folder) => {
    const { digest } = await writeImage(open(folder), [first, second, first, second, first]);
    const path = join(folder, "out");
    const files = what === "a layout" ? openFolder(path) : await openArchive(path);
    const source = await openLayoutSource(files, undefined);
    expect(source.root.descriptor.digest).toBe(digest);
    for (const bytes of [first, second]) {
      const parts = await Array.fromAsync(source.open(describe(bytes)));
      expect(Buffer.concat(parts)).toEqual(bytes);
    }
    await source.close();
    const names =
      what === "a layout"
        ? readdirSync(join(path, "blobs", "sha256"))
        : [...readTar(readFileSync(path))].map((entry) => entry.path).filter((name) => /sha256\/./.test(name));
    expect(names).toHaveLength(4);
  }),
);

test.each(sinks)("%s takes what is produced while content begun before it has not come yet", (what, open) =>
  withFolder(async (folder) => {
    const sink = open(folder);
    const come = Promise.withResolvers<void>();
    async function* late() {
      await come.promise;
      yield first;
    }
    const begun = sink.write(describe(first), late());
    const produced = await sink.writeNew(async (write) => {
      write(second);
      return describe(second);
    });
    come.resolve();
    await begun;
    const layers = [describe(first), produced];
    const { config, manifest } = documentsOf({ ...emptyImage(linux, "1970-01-01T00:00:00Z"), layers });
    await sink.write(config.descriptor, chunksOf(config.bytes));
    await sink.finish(manifest);
    const path = join(folder, "out");
    const files = what === "a layout" ? openFolder(path) : await openArchive(path);
    const source = await openLayoutSource(files, undefined);
    for (const [index, bytes] of [first, second].entries()) {
      const layer = layers[index];
      if (layer === undefined) throw new Error("no layer");
      const parts: Uint8Array[] = [];
      for await (const chunk of source.open(layer)) parts.push(chunk);
      expect(Buffer.concat(parts)).toEqual(bytes);
    }
    await source.close();
  }),
);

test("an archive has once what is produced while the same content is under way", () =>
  withFolder(async (folder) => {
    const sink = openArchiveSink(join(folder, "out"), { format: "oci", names: [] });
    const come = Promise.withResolvers<void>();
    async function* late() {
      await come.promise;
      yield first;
    }
    const begun = sink.write(describe(first), late());
    const produced = sink.writeNew(async (write) => {
      write(first);
      return describe(first);
    });
    come.resolve();
    await Promise.all([begun, produced]);
    const layers = [describe(first)];
    const { config, manifest } = documentsOf({ ...emptyImage(linux, "1970-01-01T00:00:00Z"), layers });
    await sink.write(config.descriptor, chunksOf(config.bytes));
    await sink.finish(manifest);
    const names = [...readTar(readFileSync(join(folder, "out")))].map((entry) => entry.path);
    expect(names.filter((name) => name.endsWith(describe(first).digest.slice(7)))).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
  }));

test.each(sinks)("%s takes no content that is not what its digest names", (_what, open) =>
  withFolder(async (folder) => {
    const sink = open(folder);
    expect(sink.write(describe(first), chunksOf(second))).rejects.toThrow("Digest did not match");
    expect(sink.write(describe(second), chunksOf(second.subarray(1)))).rejects.toThrow("Digest did not match");
    await sink.discard();
    expect(readdirSync(folder)).toEqual([]);
  }),
);

test.each(sinks)("%s is not there before it is finished, and nothing is left when it is not", (_what, open) =>
  withFolder(async (folder) => {
    const sink = open(folder);
    await sink.write(describe(first), chunksOf(first));
    expect(readdirSync(folder).filter((name) => !name.startsWith("."))).toEqual([]);
    await sink.discard();
    expect(readdirSync(folder)).toEqual([]);
  }),
);

test("what a layout had stays when an addition is given up", () =>
  withFolder(async (folder) => {
    await writeImage(openLayoutSink(join(folder, "out"), []), [first]);
    const before = readdirSync(join(folder, "out", "blobs", "sha256")).sort();
    const sink = openLayoutSink(join(folder, "out"), []);
    await expect(
      sink.writeNew(async (write) => {
        write(second);
        throw new Error("given up");
      }),
    ).rejects.toThrow("given up");
    await sink.discard();
    expect(readdirSync(join(folder, "out", "blobs", "sha256")).sort()).toEqual(before);
  }));

test("an archive is not written over a folder, nor a layout over a file", () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "file"), "");
    expect(() => openArchiveSink(join(folder, "folder"), { format: "both", names: [] })).toThrow("it is a folder");
    expect(() => openLayoutSink(join(folder, "file"), [])).toThrow("it is a file");
    expect(() => openLayoutSink(join(folder, "file", "below"), [])).toThrow("a file is in the way");
    expect(() => openArchiveSink(join(folder, "file", "below"), { format: "both", names: [] })).toThrow(
      "is in the way",
    );
    expect(readdirSync(folder).sort()).toEqual(["file", "folder"]);
  }));
