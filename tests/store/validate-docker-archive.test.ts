import { expect, test } from "bun:test";
import type { JsonValue } from "../../src/json.ts";
import { hexOf, sha256Of } from "../../src/oci/digest.ts";
import { validateDockerArchive } from "../../src/store/validate-docker-archive.ts";
import { filesInMemory, goodTar, type LayoutFiles } from "../fakes/image-layout.ts";

const encode = (document: JsonValue) => new TextEncoder().encode(JSON.stringify(document));
const config = encode({
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: [sha256Of(goodTar)] },
});
const configPath = `${hexOf(sha256Of(config))}.json`;
const listed = { Config: configPath, RepoTags: ["acme/app:1"], Layers: ["layer/layer.tar"] };

function archiveOf(changes: Record<string, Uint8Array | undefined> = {}): LayoutFiles {
  const files: LayoutFiles = new Map([
    ["manifest.json", encode([listed])],
    [configPath, config],
    ["layer/layer.tar", goodTar],
  ]);
  for (const [path, bytes] of Object.entries(changes)) {
    if (bytes === undefined) files.delete(path);
    else files.set(path, bytes);
  }
  return files;
}

async function faultsOf(changes: Record<string, Uint8Array | undefined>): Promise<string[]> {
  const { faults } = await validateDockerArchive(filesInMemory(archiveOf(changes)));
  return faults.map(({ kind, place, problem }) => `${kind}: ${place}: ${problem}`);
}

test("what docker saves is in order", async () => {
  expect(await validateDockerArchive(filesInMemory(archiveOf()))).toEqual({
    faults: [],
    counted: { manifests: 1, layers: 1 },
  });
});

test("missing files are told", async () => {
  expect(await faultsOf({ "manifest.json": undefined })).toEqual(["missing: manifest.json: it is not there"]);
  expect(await faultsOf({ [configPath]: undefined })).toEqual([`missing: ${configPath}: it is not there`]);
  expect(await faultsOf({ "layer/layer.tar": undefined })).toEqual(["missing: layer/layer.tar: it is not there"]);
});

test("a manifest.json that is none is told", async () => {
  expect(await faultsOf({ "manifest.json": encode([]) })).toEqual(["field: manifest.json: it names no image"]);
  expect(await faultsOf({ "manifest.json": encode([{ ...listed, RepoTags: ["UPPER"] }]) })).toEqual([
    "field: manifest.json: 0.RepoTags.0: expected an image reference",
  ]);
});

test("a config that is not what its name says is told", async () => {
  const other = encode({
    architecture: "arm64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [sha256Of(goodTar)] },
  });
  expect(await faultsOf({ [configPath]: other })).toEqual([
    expect.stringMatching(new RegExp(`^digest: ${configPath}: its content is ${sha256Of(other)}$`)),
  ]);
});

test("a layer that is another than the config says, or than its name says, is told", async () => {
  const blob = `blobs/sha256/${"0".repeat(64)}`;
  const damaged = goodTar.slice();
  damaged[512 + 513] = 0x78;
  const faults = await faultsOf({ "layer/layer.tar": damaged });
  expect(faults.map((fault) => fault.split(":")[0])).toEqual(["diff-id"]);
  expect(await faultsOf({ "manifest.json": encode([{ ...listed, Layers: [blob] }]), [blob]: goodTar })).toEqual([
    `digest: ${blob}: its content is ${sha256Of(goodTar)}`,
  ]);
});

test("more layers than the config names are told", async () => {
  expect(
    await faultsOf({ "manifest.json": encode([{ ...listed, Layers: [...listed.Layers, ...listed.Layers] }]) }),
  ).toEqual([`diff-id-count: ${configPath}: it names 1 diff ids, and there are 2 layers`]);
});
