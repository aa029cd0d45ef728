import { describe } from "bun:test";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { getAttribute, listAttributes } from "../../src/host/extended-attributes.ts";
import type { NewLayer } from "../../src/oci/append-layers.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { type PackLayerOptions, packLayer } from "../../src/store/pack-layer.ts";
import { unpackLayer } from "../../src/store/unpack-layer.ts";
import { type TarMember, tarOf } from "../fakes/registry-tar.ts";

/** A group of tests that give files away and make devices; skipped, with the reason, where that is not allowed. */
export function describeAsRoot(name: string, body: () => void): void {
  if (process.platform === "linux" && process.getuid?.() === 0) describe(name, body);
  else describe.skip(`${name} (skipped: only root on Linux may give files away)`, body);
}

/** Calls `use` with a new folder on a file system that has attributes, and removes it. */
export async function withFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync("/var/tmp/cooper-layer-");
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes as they come from a file or a registry. */
export async function* inChunks(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

/** Unpacks a layer, made of members or as it is, into an empty folder. */
export function unpackInto(folder: string, layer: readonly TarMember[] | Uint8Array) {
  const bytes = layer instanceof Uint8Array ? layer : tarOf(layer);
  return unpackLayer(inChunks(bytes), { folder, what: "the layer", signal: new AbortController().signal });
}

/** Unpacks a layer into a folder that is removed afterwards; gives what `listTree` shows of it. */
export function treeOf(layer: readonly TarMember[] | Uint8Array): Promise<Record<string, string>> {
  return withFolder(async (folder) => {
    await unpackInto(folder, layer);
    return listTree(folder);
  });
}

/**
 * Everything in a folder by path, "." for itself: kind, mode, owner, seconds, and what it holds, names or is another name
 * of.
 */
export function listTree(folder: string): Record<string, string> {
  const listed: Record<string, string> = {};
  const first = new Map<bigint, string>();
  const visit = (path: string) => {
    const place = join(folder, path);
    const stats = lstatSync(place, { bigint: true });
    const mode = (Number(stats.mode) & 0o7777).toString(8);
    const parts = [mode, `${stats.uid}:${stats.gid}`, String(Number(stats.mtimeNs) / 1e9)];
    if (stats.isDirectory()) parts.unshift("directory");
    else if (stats.isSymbolicLink()) parts.unshift("symlink", readlinkSync(place));
    else if (stats.isFile()) {
      const linked = stats.nlink > 1n ? first.get(stats.ino) : undefined;
      first.set(stats.ino, linked ?? path);
      const content = readFileSync(place);
      const shown = content.length > 40 ? sha256Of(content) : JSON.stringify(content.toString());
      parts.unshift(linked === undefined ? `file ${shown}` : `= ${linked}`);
    } else if (stats.isFIFO()) parts.unshift("fifo");
    else if (stats.isCharacterDevice() && stats.rdev === 0n) parts.splice(0, 3, "whiteout");
    else parts.unshift(`${stats.isCharacterDevice() ? "character" : "block"} device ${stats.rdev}`);
    for (const name of listAttributes(place).sort()) {
      parts.push(`${name}=${Buffer.from(getAttribute(place, name) ?? []).toString("hex")}`);
    }
    listed[path] = parts.join(" ");
    if (stats.isDirectory())
      for (const name of readdirSync(place).sort()) visit(path === "." ? name : `${path}/${name}`);
  };
  visit(".");
  return listed;
}

/** Packs a folder, by default as a whole and with times of its own; gives the result and the layer's bytes. */
export async function packed(folder: string, options: Partial<PackLayerOptions> = {}) {
  const parts: Uint8Array[] = [];
  const result = await packLayer(folder, {
    epoch: 1000,
    started: Number.MAX_SAFE_INTEGER,
    leaveOut: new Set(),
    leaveOutEmpty: new Set(),
    lowers: [],
    compression: { kind: "none" },
    parallelism: 1,
    signal: new AbortController().signal,
    write: (bytes) => void parts.push(bytes.slice()),
    ...options,
  });
  return { ...result, bytes: new Uint8Array(Buffer.concat(parts)) };
}

/** How the digests of a layer are told in a comparison. */
export function digestsOf({ descriptor, diffId }: NewLayer): string[] {
  return [descriptor.digest, diffId];
}
