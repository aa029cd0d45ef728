import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { FeatureValue } from "../../src/devcontainer/schema.ts";
import type { FeaturePorts } from "../../src/workflows/fetch-feature.ts";
import { type ResolveFeaturesRequest, resolveFeatures } from "../../src/workflows/resolve-features.ts";

let workspaceFolder: string;

/** Local Features need nothing of the world: every port fails the test. */
const noPorts: FeaturePorts = {
  registry: { manifest: () => unwanted("a manifest"), blob: () => unwanted("a blob") },
  blobs: { read: () => unwanted("the cache"), write: () => unwanted("the cache") },
  download: () => unwanted("a download"),
  unpack: () => unwanted("unpacking"),
  environment: {},
  cacheFolder: "/nowhere",
};

function unwanted(what: string): Promise<never> {
  throw new Error(`A local Feature asked for ${what}.`);
}

beforeEach(async () => {
  workspaceFolder = await mkdtemp(join(tmpdir(), "cooper-test-"));
});
afterEach(() => rm(workspaceFolder, { recursive: true }));

async function write(path: string, content: string): Promise<string> {
  const file = join(workspaceFolder, ".devcontainer", path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function writeFeature(folder: string, manifest: object = {}): Promise<void> {
  await write(`${folder}/devcontainer-feature.json`, JSON.stringify({ id: folder, version: "1.0.0", ...manifest }));
  await write(`${folder}/install.sh`, "#!/bin/sh\n");
}

function resolve(features: Record<string, FeatureValue>, rest: Partial<ResolveFeaturesRequest> = {}) {
  const configFolder = join(workspaceFolder, ".devcontainer");
  return resolveFeatures({ features, configFolder, workspaceFolder, ...rest }, noPorts);
}

async function digestOf(userId: string): Promise<string | undefined> {
  return (await resolve({ [userId]: {} })).features[0]?.digest;
}

describe("local Features", () => {
  test("are resolved in install order, with options, folder and everything else", async () => {
    await writeFeature("a", { installsAfter: ["./b"], options: { version: { default: "1" } } });
    await writeFeature("b", { "x-other": 1 });
    const { features, lockfile, warnings } = await resolve({ "./a": "2", "./b": {} });
    expect(features.map(({ userId, consecutiveId }) => [userId, consecutiveId])).toEqual([
      ["./b", "b_0"],
      ["./a", "a_1"],
    ]);
    expect(features[0]).toMatchObject({
      json: { id: "b", version: "1.0.0", "x-other": 1 },
      contentFolder: join(workspaceFolder, ".devcontainer", "b"),
      locked: undefined,
    });
    expect(features[1]).toMatchObject({ value: "2", optionEnv: [{ name: "VERSION", value: "2" }] });
    expect(lockfile.size).toBe(0);
    expect(warnings).toEqual([]);
  });

  test("bring what they depend on, found beside devcontainer.json", async () => {
    await writeFeature("tools/a", { id: "a", dependsOn: { "./b": { x: "1" } } });
    await writeFeature("b");
    const { features } = await resolve({ "./tools/a": {} });
    expect(features.map(({ userId, value }) => [userId, value])).toEqual([
      ["./b", { x: "1" }],
      ["./tools/a", {}],
    ]);
  });

  test("are ordered as overrideFeatureInstallOrder wants", async () => {
    for (const id of ["a", "b", "c"]) await writeFeature(id);
    const { features } = await resolve(
      { "./a": {}, "./b": {}, "./c": {} },
      { overrideFeatureInstallOrder: ["./c", "./not-there"] },
    );
    expect(features.map(({ userId }) => userId)).toEqual(["./c", "./a", "./b"]);
    await expect(resolve({ "./a": {} }, { overrideFeatureInstallOrder: ["nope"] })).rejects.toThrow(
      "Feature 'nope' in 'overrideFeatureInstallOrder' could not be processed: Legacy feature",
    );
  });

  test("may come from the command line", async () => {
    await writeFeature("a");
    const { features } = await resolve({}, { additionalFeatures: { "./a": true } });
    expect(features.map(({ userId, value }) => [userId, value])).toEqual([["./a", true]]);
  });

  test("have folders whose names are safe whatever their ids", async () => {
    await writeFeature("a", { id: "../a b" });
    expect((await resolve({ "./a": {} })).features[0]?.consecutiveId).toBe(".._a_b_0");
  });
});

describe("the digest of a local Feature", () => {
  test("is the same for the same files anywhere, at any time, in whatever order they were made", async () => {
    await writeFeature("a", { id: "x" });
    await write("b/install.sh", "#!/bin/sh\n");
    const file = await write("b/devcontainer-feature.json", JSON.stringify({ id: "x", version: "1.0.0" }));
    await utimes(file, 1, 1);
    expect(await digestOf("./b")).toBe(await digestOf("./a"));
  });

  test.each([
    ["a file", () => write("a/lib/more.sh", "")],
    ["a file's content", () => write("a/install.sh", "#!/bin/bash\n")],
    ["what is executable", () => chmod(join(workspaceFolder, ".devcontainer/a/install.sh"), 0o755)],
    ["an empty folder", () => mkdir(join(workspaceFolder, ".devcontainer/a/empty"))],
    ["a link", () => symlink("install.sh", join(workspaceFolder, ".devcontainer/a/link"))],
  ])("changes with %s", async (_, change) => {
    await writeFeature("a");
    const before = await digestOf("./a");
    await change();
    expect(await digestOf("./a")).not.toBe(before);
  });

  test("changes with a link's target and not with what lies there", async () => {
    await writeFeature("a");
    await write("outside/file", "1");
    const link = join(workspaceFolder, ".devcontainer/a/link");
    await symlink("../outside", link);
    const before = await digestOf("./a");
    await write("outside/file", "2");
    expect(await digestOf("./a")).toBe(before);
    await rm(link);
    await symlink("../elsewhere", link);
    expect(await digestOf("./a")).not.toBe(before);
  });

  test("does not depend on who may read the files", async () => {
    await writeFeature("a");
    const before = await digestOf("./a");
    await chmod(join(workspaceFolder, ".devcontainer/a/install.sh"), 0o600);
    expect(await digestOf("./a")).toBe(before);
  });
});

describe("a local Feature that is not one", () => {
  const folder = () => join(workspaceFolder, ".devcontainer", "a");

  test("because there is no folder", async () => {
    await expect(resolve({ "./a": {} })).rejects.toThrow(`Feature './a' does not exist: wanted a folder ${folder()}.`);
  });

  test("because it is a file", async () => {
    await write("a", "");
    await expect(resolve({ "./a": {} })).rejects.toThrow("Feature './a' does not exist: wanted a folder");
  });

  test("because its folder is empty", async () => {
    await mkdir(folder(), { recursive: true });
    await expect(resolve({ "./a": {} })).rejects.toThrow("Feature './a' is empty");
  });

  test("because it has no description", async () => {
    await write("a/install.sh", "");
    await expect(resolve({ "./a": {} })).rejects.toThrow(
      "Feature './a' has no devcontainer-feature.json: looked for it",
    );
  });

  test("because it has no script", async () => {
    await write("a/devcontainer-feature.json", '{"id":"a"}');
    await expect(resolve({ "./a": {} })).rejects.toThrow("Feature './a' has no install.sh: looked for it");
  });

  test("because it is a collection of the time before", async () => {
    await write("a/devcontainer-features.json", '{"features":[]}');
    await write("a/install.sh", "");
    await expect(resolve({ "./a": {} })).rejects.toThrow("Feature './a' is not supported: it is a collection");
  });

  test("because its description is wrong, which says where", async () => {
    await writeFeature("a", { version: 1 });
    await expect(resolve({ "./a": {} })).rejects.toThrow(
      `Feature './a': ${folder()}/devcontainer-feature.json:1:21: version: found the number 1; wanted a string.`,
    );
  });

  test("because what it depends on is not there", async () => {
    await writeFeature("a", { dependsOn: { "./b": {} } });
    await expect(resolve({ "./a": {} })).rejects.toThrow("Feature './b' does not exist");
  });
});

describe("warnings", () => {
  test("are about deprecation and renaming, on the Feature too, then about options of requested Features", async () => {
    await writeFeature("a", {
      deprecated: true,
      legacyIds: ["old"],
      currentId: "new",
      dependsOn: { "./b": { nope: "1" } },
    });
    await writeFeature("b");
    const { features, warnings } = await resolve({ "./a": { nope: true } });
    const ofFeature = [
      { kind: "deprecated", featureId: "a" },
      { kind: "renamed", featureId: "a", currentId: "new" },
    ] as const;
    expect(features[1]?.warnings).toEqual(ofFeature);
    expect(warnings).toEqual([
      ...ofFeature,
      { kind: "unknown-option", userId: "./a", option: "nope", nearest: undefined },
    ]);
  });
});
