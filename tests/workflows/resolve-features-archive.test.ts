import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Lockfile, parseLockfile, renderLockfile } from "../../src/features/lockfile.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { unpackArchive } from "../../src/store/unpack.ts";
import type { FeaturePorts } from "../../src/workflows/fetch-feature.ts";
import { resolveFeatures } from "../../src/workflows/resolve-features.ts";
import { tarOf } from "../fakes/registry-tar.ts";

const url = "https://example.com/x/devcontainer-feature-tarx.tgz";
const archive = archiveOf({ id: "tarfeat", version: "3.1.4", options: { k: { default: "d" } } });

let cacheFolder: string;
let environment: Record<string, string>;
let requests: { url: string; authorization: string | undefined }[];
/** Hosts on the internet that archives come from cannot be had in a test: their answers by address stand for them. */
let answers: Map<string, { status: number; bytes: Uint8Array }>;
let beforeAnswer: (url: string) => Promise<void>;

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), "cooper-test-"));
  environment = {};
  requests = [];
  beforeAnswer = async () => undefined;
  answers = new Map([[url, { status: 200, bytes: archive }]]);
});
afterEach(() => rm(cacheFolder, { recursive: true }));

function archiveOf(manifest: object, files: Readonly<Record<string, string>> = { "./install.sh": "#!/bin/sh\n" }) {
  return tarOf([
    { path: "./devcontainer-feature.json", content: JSON.stringify(manifest) },
    ...Object.entries(files).map(([path, content]) => ({ path, content, mode: 0o755 })),
  ]);
}

function unwanted(): never {
  throw new Error("An archive needs no registry.");
}

function resolve(userIds: string | readonly string[], lockfile?: Lockfile) {
  const ports: FeaturePorts = {
    registry: { manifest: unwanted, blob: unwanted },
    blobs: { read: unwanted, write: unwanted },
    unpack: unpackArchive,
    environment,
    cacheFolder,
    download: async (address, { headers }) => {
      await beforeAnswer(address);
      requests.push({ url: address, authorization: headers["authorization"] });
      return answers.get(address) ?? { status: 404, bytes: new Uint8Array() };
    },
  };
  const features = Object.fromEntries([userIds].flat().map((userId) => [userId, {}]));
  const request = { features, configFolder: "/ws/.devcontainer", workspaceFolder: "/ws", lockfile };
  return resolveFeatures(request, ports);
}

const lockedAs = (digest: string) =>
  parseLockfile(JSON.stringify({ features: { [url]: { version: "3.1.4", resolved: url, integrity: digest } } }), {
    file: "lock",
  });

describe("an archive at an https address", () => {
  test("is unpacked into the cache under its digest and locked by it", async () => {
    const { features, lockfile } = await resolve(url);
    const digest = sha256Of(archive);
    const [feature] = features;
    expect(feature).toMatchObject({
      userId: url,
      consecutiveId: "tarfeat_0",
      digest,
      contentFolder: join(cacheFolder, "features", "sha256", digest.slice(7)),
      optionEnv: [{ name: "K", value: "d" }],
    });
    expect(await readFile(join(feature?.contentFolder ?? "", "install.sh"), "utf8")).toBe("#!/bin/sh\n");
    expect(await readdir(join(cacheFolder, "features", "sha256"))).toEqual([digest.slice(7)]);
    expect(renderLockfile(lockfile)).toBe(renderLockfile(lockedAs(digest) ?? new Map()));
  });

  test("is fetched each time as long as nothing locks it", async () => {
    await resolve(url);
    await resolve(url);
    expect(requests).toHaveLength(2);
  });

  test("is not fetched again when it is locked and unpacked", async () => {
    await resolve(url, lockedAs(sha256Of(archive)));
    await resolve(url, lockedAs(sha256Of(archive)));
    expect(requests).toHaveLength(1);
  });

  test("that is not what the lockfile says is refused with both digests, and nothing of it is kept", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    await expect(resolve(url, lockedAs(other))).rejects.toThrow(
      `Digest did not match for Feature '${url}'. Wanted ${other}, found ${sha256Of(archive)}; nothing of it was used.`,
    );
    expect(await readdir(cacheFolder)).toEqual([]);
  });

  test("that is not there says what its address answered", async () => {
    answers.clear();
    await expect(resolve(url)).rejects.toThrow(
      `ERR: Feature '${url}' could not be processed. Its address answered with status 404; wanted 200.`,
    );
  });

  test.each([
    ["no description", tarOf([{ path: "install.sh", content: "" }]), "has no devcontainer-feature.json"],
    ["no script", archiveOf({ id: "x" }, {}), "has no install.sh"],
    [
      "a collection of the time before",
      tarOf([
        { path: "install.sh", content: "" },
        { path: "devcontainer-features.json", content: '{"features":[]}' },
      ]),
      "is not supported: it is a collection",
    ],
  ])("with %s is refused and leaves nothing behind", async (_, bytes, reason) => {
    answers.set(url, { status: 200, bytes });
    await expect(resolve(url)).rejects.toThrow(`Feature '${url}' ${reason}`);
    expect(await readdir(join(cacheFolder, "features", "sha256"))).toEqual([]);
  });

  test("gets no GitHub token unless it is GitHub's", async () => {
    environment = { GITHUB_TOKEN: "secret" };
    const ours = "https://github.com/o/r/raw/devcontainer-feature-x.tgz";
    const alike = "https://github.com.example.com/devcontainer-feature-x.tgz";
    for (const address of [ours, alike, url]) answers.set(address, { status: 200, bytes: archive });
    for (const address of [ours, alike, url]) await resolve(address);
    expect(requests.map(({ authorization }) => authorization)).toEqual(["Bearer secret", undefined, undefined]);
  });

  test("is unpacked once by builds that run side by side", async () => {
    const resolved = await Promise.all(Array.from({ length: 8 }, () => resolve(url)));
    expect(new Set(resolved.map(({ features }) => features[0]?.contentFolder)).size).toBe(1);
    expect(await readdir(join(cacheFolder, "features", "sha256"))).toEqual([sha256Of(archive).slice(7)]);
  });

  test("is unpacked again when the cache has lost its description", async () => {
    const folder = (await resolve(url)).features[0]?.contentFolder ?? "";
    await rm(join(folder, "devcontainer-feature.json"));
    await resolve(url);
    expect((await readdir(folder)).sort()).toEqual(["devcontainer-feature.json", "install.sh"]);
  });
});

describe("a GitHub release", () => {
  const base = "https://github.com/acme/tools/releases";

  test("is looked for under the Feature's name, then the collection's, of the latest release", async () => {
    await expect(resolve("acme/tools/go")).rejects.toThrow(
      "(!) Failed to fetch tarball for go after attempting 2 possibilities",
    );
    expect(requests.map((request) => request.url)).toEqual([
      `${base}/latest/download/go.tgz`,
      `${base}/latest/download/devcontainer-features.tgz`,
    ]);
  });

  test("is never locked", async () => {
    answers.set(`${base}/download/v1/go.tgz`, { status: 200, bytes: archive });
    const { features, lockfile, warnings } = await resolve("acme/tools/go@v1");
    expect(features[0]).toMatchObject({ consecutiveId: "tarfeat_0", digest: sha256Of(archive) });
    expect(lockfile.size).toBe(0);
    expect(warnings).toEqual([{ kind: "github-legacy", userId: "acme/tools/go@v1" }]);
  });

  test("is asked for at the API first where there is a token", async () => {
    environment = { GITHUB_TOKEN: "secret" };
    const asset = "https://api.github.com/repos/acme/tools/releases/assets/7";
    const release = {
      assets: [
        { name: "other.tgz", url: "x" },
        { name: "go.tgz", url: asset },
      ],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(release));
    answers.set("https://api.github.com/repos/acme/tools/releases/tags/v1", { status: 200, bytes });
    answers.set(asset, { status: 200, bytes: archive });
    await resolve("acme/tools/go@v1");
    expect(requests).toEqual([
      { url: "https://api.github.com/repos/acme/tools/releases/tags/v1", authorization: "Bearer secret" },
      { url: asset, authorization: "Bearer secret" },
    ]);
  });

  test("is looked for elsewhere when the API does not know it", async () => {
    environment = { GITHUB_TOKEN: "secret" };
    answers.set(`${base}/latest/download/go.tgz`, { status: 200, bytes: archive });
    await resolve("acme/tools/go");
    expect(requests.map((request) => request.url)).toEqual([
      "https://api.github.com/repos/acme/tools/releases/latest",
      `${base}/latest/download/go.tgz`,
    ]);
  });
});

test("warnings come in one order, whichever Feature arrives first", async () => {
  const address = (id: string) => `https://github.com/acme/t/releases/latest/download/${id}.tgz`;
  const publish = (id: string, dependsOn: object) =>
    answers.set(address(id), { status: 200, bytes: archiveOf({ id, dependsOn }) });
  publish("a", { "acme/t/z": {} });
  publish("b", { "acme/t/c": {} });
  for (const id of ["z", "c"]) publish(id, {});
  const userIds = ["acme/t/b", "acme/t/a"];
  for (const late of ["a", "b"]) {
    const others = Promise.withResolvers<void>();
    beforeAnswer = async (url) => {
      if (url === address(late)) await others.promise;
      if (url === address(late === "a" ? "c" : "z")) others.resolve();
    };
    const { warnings } = await resolve(userIds);
    expect(warnings.map((warning) => "userId" in warning && warning.userId)).toEqual([
      ...userIds,
      "acme/t/c",
      "acme/t/z",
    ]);
  }
});

test("a Feature that fails while another is on its way is an error once that has arrived", async () => {
  const gone = "https://example.com/devcontainer-feature-gone.tgz";
  for (const userIds of [
    [url, gone],
    [gone, url],
  ]) {
    const failed = Promise.withResolvers<void>();
    const arrived: string[] = [];
    beforeAnswer = async (address) => {
      if (address === gone) failed.resolve();
      else await failed.promise.then(() => Bun.sleep(0));
      arrived.push(address);
    };
    await expect(resolve(userIds)).rejects.toThrow(`ERR: Feature '${gone}' could not be processed.`);
    expect(arrived).toEqual([gone, url]);
  }
});
