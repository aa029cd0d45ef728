import { expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { openReadCapability } from "../../src/host/capability.ts";
import type { Compression } from "../../src/host/compress.ts";
import { type ReadEntry, readTree } from "../../src/host/read-tree.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { readTar } from "../../src/oci/tar.ts";
import { writeLayer } from "../../src/store/write-layer.ts";
import { maySetCapabilities, setCapability } from "./set-capability.ts";

const settings = { prefix: "", owner: { uid: 0, gid: 0 }, epoch: 0, clamp: false } as const;
const gzip: Compression = { kind: "gzip", level: 1 };

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-layer-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function layerOf(
  folder: string,
  {
    compression = gzip,
    parallelism = 2,
    meddle = () => {},
    signal = new AbortController().signal,
  }: {
    compression?: Compression;
    parallelism?: number;
    /** Called when an entry was read by name and before its content is. */
    meddle?: (entry: ReadEntry["entry"]) => void;
    signal?: AbortSignal;
  } = {},
) {
  function* entries() {
    for (const read of readTree(folder, { filter: undefined, readCapability: openReadCapability() })) {
      meddle(read.entry);
      yield read;
    }
  }
  const parts: Uint8Array[] = [];
  const write = (bytes: Uint8Array) => void parts.push(bytes.slice());
  const layer = await writeLayer(entries(), { folder, settings, compression, parallelism, signal, write });
  return { ...layer, bytes: Buffer.concat(parts) };
}

function writeOver(path: string): void {
  writeFileSync(path, "else");
  utimesSync(path, 5, 5);
}

function largeText(size: number): string {
  return Array.from({ length: size / 8 }, (_, index) => ((index * 7919) % 99991).toString(36).padStart(8)).join("");
}

test("the layer is the same for any number of threads, and its digests and size are what was written", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), largeText(6_000_000));
    writeFileSync(join(folder, "b"), "b");
    const layers = await Promise.all([1, 2, 3].map((parallelism) => layerOf(folder, { parallelism })));
    for (const { descriptor, diffId, bytes } of layers) {
      expect<string | undefined>(descriptor.digest).toBe(layers[0]?.descriptor.digest);
      expect([descriptor.digest, descriptor.size]).toEqual([sha256Of(bytes), bytes.length]);
      expect(diffId).toBe(sha256Of(gunzipSync(bytes)));
    }
  }));

test.each<[Compression, (bytes: Buffer) => Uint8Array]>([
  [{ kind: "none" }, (bytes) => bytes],
  [{ kind: "zstd", level: 3 }, (bytes) => zstdDecompressSync(bytes)],
  [{ kind: "gzip", level: 9 }, (bytes) => gunzipSync(bytes)],
])("what %j compresses is the same tar", (compression, decompress) =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), largeText(3_000_000));
    const { diffId, bytes } = await layerOf(folder, { compression });
    expect(sha256Of(decompress(bytes))).toBe(diffId);
    expect((await layerOf(folder)).diffId).toBe(diffId);
  }),
);

test("files that fill a chunk to the last byte, or go over it, are whole", () =>
  withFolder(async (folder) => {
    const chunk = 1024 * 1024;
    const sizes = [0, 1, chunk - 1536, chunk - 512, chunk, chunk + 1, 2 * chunk, 2 * chunk + 511];
    for (const [index, size] of sizes.entries())
      writeFileSync(join(folder, `f${index}`), Buffer.alloc(size, index + 65));
    const { bytes } = await layerOf(folder, { compression: { kind: "none" } });
    const contents = [...readTar(bytes)].map((entry) => (entry.kind === "file" ? sha256Of(entry.content) : ""));
    expect(contents).toEqual(sizes.map((size, index) => sha256Of(Buffer.alloc(size, index + 65))));
  }));

test.each<[string, (path: string) => void]>([
  ["grows", (path) => appendFileSync(path, "more")],
  ["shrinks", (path) => truncateSync(path, 3)],
  ["is emptied", (path) => truncateSync(path, 0)],
  ["is written over with as many bytes", writeOver],
])("a file that %s while it is read is an error that names it", (_what, change) =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), "some");
    const meddle = () => change(join(folder, "a"));
    expect(layerOf(folder, { meddle })).rejects.toThrow(`${join(folder, "a")} changed while it was read.`);
  }),
);

test("a large file that shrinks while it is read is an error that names it", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), largeText(3_000_000));
    const meddle = () => truncateSync(join(folder, "a"), 1_500_000);
    expect(layerOf(folder, { meddle })).rejects.toThrow(`${join(folder, "a")} changed while it was read.`);
  }));

test("a symlink that takes a file's place is not followed", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), "a");
    writeFileSync(join(folder, "b"), "b");
    const meddle = ({ path }: ReadEntry["entry"]) => {
      if (path !== "a") return;
      unlinkSync(join(folder, "b"));
      symlinkSync("/etc/passwd", join(folder, "c"));
      renameSync(join(folder, "c"), join(folder, "b"));
    };
    expect(layerOf(folder, { meddle })).rejects.toThrow(`${join(folder, "b")} changed while it was read.`);
  }));

test("an interruption ends it", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), largeText(3_000_000));
    const controller = new AbortController();
    const meddle = () => controller.abort(new Error("interrupted"));
    expect(layerOf(folder, { meddle, signal: controller.signal })).rejects.toThrow("interrupted");
  }));

test.skipIf(!maySetCapabilities)("a capability of the file is in the layer", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "program"), "x", { mode: 0o755 });
    const value = setCapability(join(folder, "program"));
    const { bytes } = await layerOf(folder, { compression: { kind: "none" } });
    const record = `SCHILY.xattr.security.capability=${Buffer.from(value).toString("latin1")}\n`;
    expect(bytes.toString("latin1")).toContain(record);
  }),
);
