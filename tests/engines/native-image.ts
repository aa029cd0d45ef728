import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { NativeEngine } from "./native.ts";

/** An image of a native engine's store, as its documents say. */
export interface StoredImage {
  readonly manifest: string;
  readonly config: v.InferOutput<typeof configSchema>;
  /** Bottom first, `file` being the layer's bytes. */
  readonly layers: readonly { readonly digest: string; readonly file: string }[];
}

/** An entry of a layer; `owner` is `uid/gid`, both as numbers. */
export interface LayerEntry {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
}

/** By which annotation a store and a layout know an image. */
const NAMES = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

const indexSchema = v.object({
  manifests: v.array(v.object({ digest: v.string(), annotations: v.optional(v.record(v.string(), v.string()), {}) })),
});
const layoutSchema = v.object({ manifests: v.array(v.looseObject({})) });
const manifestSchema = v.object({
  config: v.object({ digest: v.string() }),
  layers: v.array(v.object({ digest: v.string() })),
});
const configSchema = v.object({
  config: v.object({
    Env: v.optional(v.nullable(v.array(v.string())), []),
    Labels: v.optional(v.nullable(v.record(v.string(), v.string())), {}),
    User: v.optional(v.nullable(v.string()), ""),
    WorkingDir: v.optional(v.nullable(v.string()), ""),
    Entrypoint: v.optional(v.nullable(v.array(v.string())), null),
    Cmd: v.optional(v.nullable(v.array(v.string())), null),
  }),
  rootfs: v.object({ diff_ids: v.array(v.string()) }),
});

/** Reads an image of a store or a layout; throws where there is none of that name. */
export function storedImage(store: string, name: string): StoredImage {
  const blob = (digest: string) => join(store, "blobs", "sha256", digest.replace("sha256:", ""));
  const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
  const { manifests } = v.parse(indexSchema, read(join(store, "index.json")));
  const entry = manifests.find(({ annotations }) => NAMES.some((key) => annotations[key] === name));
  if (entry === undefined) throw new Error(`${name} is not in ${JSON.stringify(manifests)}`);
  const manifest = v.parse(manifestSchema, read(blob(entry.digest)));
  const config = v.parse(configSchema, read(blob(manifest.config.digest)));
  const layers = manifest.layers.map(({ digest }) => ({ digest, file: blob(digest) }));
  return { manifest: entry.digest, config, layers };
}

/** Adds an image without layers to a layout, which is made when it is not there. */
export function writeEmptyImage(
  layout: string,
  { name, architecture, config }: { readonly name: string; readonly architecture: string; readonly config: object },
): void {
  const blobs = join(layout, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const write = (mediaType: string, document: object) => {
    const text = JSON.stringify(document);
    const hex = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    writeFileSync(join(blobs, hex), text);
    return { mediaType, digest: `sha256:${hex}`, size: text.length };
  };
  const rootfs = { type: "layers", diff_ids: [] };
  const configType = "application/vnd.oci.image.config.v1+json";
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const settings = write(configType, { architecture, os: "linux", config, rootfs });
  const manifest = { schemaVersion: 2, mediaType: manifestType, config: settings, layers: [] };
  const annotations = { "org.opencontainers.image.ref.name": name };
  const entry = { ...write(manifestType, manifest), annotations };
  const path = join(layout, "index.json");
  const { manifests } = existsSync(path)
    ? v.parse(layoutSchema, JSON.parse(readFileSync(path, "utf8")))
    : { manifests: [] };
  writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [...manifests, entry] }));
  writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

/** What is in a layer, sorted by path, as `tar` lists it. */
export function layerEntries(file: string): readonly LayerEntry[] {
  const { stdout, stderr, exitCode } = Bun.spawnSync([
    "tar",
    "--numeric-owner",
    "--quoting-style=literal",
    "-tvf",
    file,
  ]);
  if (exitCode !== 0) throw new Error(`tar cannot list ${file}: ${stderr.toString()}`);
  const lines = stdout.toString().split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const [, mode = "", owner = "", path = ""] = /^(\S+) +(\S+) +\S+ \S+ \S+ (.*)$/.exec(line) ?? [];
      return { path, mode, owner };
    })
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** The folders in which mount points are made for a step: their time is a new one, so that they are in its layer. */
const MOUNTED_IN = ["etc/", "tmp/"];

/** What a step left in the layer that is on top of all others. */
export function topEntries(native: NativeEngine, name: string): readonly LayerEntry[] {
  const top = storedImage(native.store, name).layers.at(-1);
  if (top === undefined) throw new Error(`${name} has no layers`);
  return layerEntries(top.file).filter(({ path }) => !MOUNTED_IN.includes(path));
}

/** What unfinished runs left in a store's `work`. */
export function leftoverWork(store: string): readonly string[] {
  const folder = join(store, "work");
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** The lines of all mount tables of this machine that speak of a folder. */
export function mountsBelow(folder: string): readonly string[] {
  const tables = new Map<string, string>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const namespace = readlinkSync(`/proc/${name}/ns/mnt`);
      if (!tables.has(namespace)) tables.set(namespace, readFileSync(`/proc/${name}/mounts`, "utf8"));
    } catch {
      // It has ended since, or is somebody else's.
    }
  }
  return [...tables.values()].flatMap((table) => table.split("\n")).filter((line) => line.includes(folder));
}
