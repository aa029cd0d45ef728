import { afterAll, afterEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { documentsOf, emptyImage } from "../../src/oci/image.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parseImageReference } from "../../src/oci/reference.ts";
import { parseImageTransport } from "../../src/oci/transport.ts";
import { type ImageStore, openImageStore } from "../../src/store/image-store.ts";
import { openLayoutSink } from "../../src/store/oci-layout-sink.ts";
import { pruneStore } from "../../src/store/prune-store.ts";
import { validateImage } from "../../src/workflows/validate-image.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import { writeStoredImage } from "./stored-image.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-processes-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const signal = new AbortController().signal;

const children: { kill: (signal: "SIGKILL") => void; readonly exited: Promise<number> }[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});

function start(words: readonly string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, ...words], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  children.push(child);
  return child;
}

const program = join(import.meta.dir, "storing-process.ts");
const storing = (store: ImageStore, ...words: string[]) => start([program, store.folder, ...words]);
const storeIn = (name: string) =>
  openImageStore(join(directory, name, ".local", "share", "cooper", "store"), { signal });
const blobsOf = ({ folder }: ImageStore) => namesIn(join(folder, "blobs", "sha256"));

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Another process may have taken it away since it was seen.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

async function answerOf(child: ReturnType<typeof storing>): Promise<string> {
  const [text, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ errors, exitCode }).toEqual({ errors: "", exitCode: 0 });
  return text.trim();
}

async function firstLineOf(child: ReturnType<typeof storing>): Promise<string> {
  return new TextDecoder().decode((await child.stdout.getReader().read()).value);
}

test("processes that write at once lose none of each other's images", async () => {
  const store = storeIn("at-once");
  await Promise.all(["one", "two", "three"].map((name) => answerOf(storing(store, "write", name, "25"))));
  const tags = Array.from({ length: 25 }, (_, index) => index);
  const missing = ["one", "two", "three"].flatMap((name) =>
    tags.map((tag) => `${name}:${tag}`).filter((text) => store.find(parseImageReference(text)).length !== 1),
  );
  expect(missing).toEqual([]);
  expect(store.entries()).toHaveLength(76);
  expect(namesIn(join(store.folder, "work"))).toEqual([]);
});

test("what another process reads is not pruned before that process is gone, however it goes", async () => {
  const store = storeIn("read");
  await writeStoredImage(store, { names: ["app:1"] });
  const reader = storing(store, "hold", "app:1");
  expect(await firstLineOf(reader)).toBe("holding\n");
  expect(await answerOf(storing(store, "prune"))).toBe("in use");
  expect(blobsOf(store)).toHaveLength(3);
  reader.kill("SIGKILL");
  await reader.exited;
  expect(await answerOf(storing(store, "prune"))).toBe("1");
  expect(blobsOf(store)).toEqual([]);
});

test("what is being written is not pruned, although nothing names it yet", async () => {
  const store = storeIn("written");
  const bytes = new TextEncoder().encode("a layer");
  const layer = { mediaType: mediaTypes.ociLayer, digest: sha256Of(bytes), size: bytes.length, annotations: {} };
  const sink = await store.openSink({ names: [parseImageReference("app:1")] });
  await sink.write(layer, chunksOf(bytes));
  expect(await answerOf(storing(store, "prune"))).toBe("in use");
  const platform = { os: "linux", architecture: "amd64", variant: undefined };
  const { config, manifest } = documentsOf({ ...emptyImage(platform, "2024-01-01T00:00:00Z"), layers: [layer] });
  await sink.write(config.descriptor, chunksOf(config.bytes));
  await sink.finish(manifest);
  expect(blobsOf(store)).toHaveLength(3);
  expect(await answerOf(storing(store, "prune"))).toBe("1");
});

const layerCount = 6;
const isPartial = (name: string) => name.endsWith(".partial");
const workOf = ({ folder }: ImageStore) => namesIn(join(folder, "work"));
type Moment = (store: ImageStore) => boolean;
const moments: readonly (readonly [string, Moment])[] = [
  ["the store is made", ({ folder }) => existsSync(folder)],
  ["it has a folder to work in", (store) => workOf(store).length > 0],
  [
    "a layer is being written",
    (store) => workOf(store).some((name) => namesIn(join(store.folder, "work", name)).some(isPartial)),
  ],
  ...Array.from({ length: layerCount + 2 }, (_, count): readonly [string, Moment] => [
    `blob ${count + 1} is there`,
    (store) => blobsOf(store).length > count,
  ]),
  ["its name is being written", ({ folder }) => existsSync(join(folder, "index.lock"))],
];
let interrupted = 0;

test.each(moments)(
  "a copy that is killed when %s is done again, and leaves nothing that is not swept",
  async (what, hasCome) => {
    const layout = join(directory, "layout");
    if (!existsSync(layout)) await writeLayout(layout);
    const name = `killed ${what}`;
    const store = storeIn(name);
    const home = join(directory, name);
    const words = [
      join(import.meta.dir, "..", "..", "src", "main.ts"),
      "image",
      "copy",
      `oci:${layout}`,
      "store:app:1",
    ];
    const copy = () => start(words, { HOME: home, XDG_DATA_HOME: "", XDG_CACHE_HOME: join(home, "cache") });
    const killed = copy();
    for (; killed.exitCode === null && !hasCome(store); ) await Bun.sleep(0);
    killed.kill("SIGKILL");
    await killed.exited;
    if (store.entries().length === 0) interrupted += 1;
    else expect(await faultsOf(home, "app:1")).toEqual([]);
    const again = copy();
    expect({ text: await again.stderr.text(), exitCode: await again.exited }).toMatchObject({ exitCode: 0 });
    expect(await faultsOf(home, "app:1")).toEqual([]);
    expect(workOf(store).filter((entry) => !entry.startsWith("."))).toEqual([]);
    const rule = { kind: "superseded", images: new Set<string>() } as const;
    await pruneStore(store, { rule: () => rule, dryRun: false, patience: 0 });
    expect([workOf(store), blobsOf(store).length]).toEqual([[], layerCount + 2]);
    expect(namesIn(store.folder).filter((entry) => isPartial(entry) || /lock\../.test(entry))).toEqual([]);
  },
);

test("most of those copies were killed before they were done", () => {
  expect(interrupted).toBeGreaterThan(moments.length / 2);
});

async function faultsOf(home: string, reference: string) {
  return (await validateImage(parseImageTransport(`store:${reference}`), recordingTools(home).tools)).faults;
}

/** A layout of an image whose layers take a moment to copy. */
async function writeLayout(folder: string): Promise<void> {
  const sink = openLayoutSink(folder, []);
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (let index = 0; index < layerCount; index += 1) {
    const bytes = tarOf([{ path: `file-${index}`, content: randomBytes(8_000_000) }]);
    const digest = sha256Of(bytes);
    const layer = { mediaType: mediaTypes.ociLayer, digest, size: bytes.length, annotations: {} };
    await sink.write(layer, chunksOf(bytes));
    layers.push(layer);
    diffIds.push(digest);
  }
  const start = emptyImage({ os: "linux", architecture: "amd64", variant: undefined }, "2024-01-01T00:00:00Z");
  const history = diffIds.map(() => ({ created_by: "test" }));
  const config = { ...start.config, rootfs: { type: "layers", diff_ids: diffIds }, history };
  const documents = documentsOf({ ...start, config, layers });
  await sink.write(documents.config.descriptor, chunksOf(documents.config.bytes));
  await sink.finish(documents.manifest);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
