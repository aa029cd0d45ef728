import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseControlManifest } from "../../src/features/advisories.ts";
import {
  DisallowedFeatureError,
  loadControlManifest,
  refuseDisallowedFeatures,
} from "../../src/workflows/control-manifest.ts";
import type { Download } from "../../src/workflows/fetch-feature-download.ts";

const start = Date.UTC(2030, 0, 1);
const minute = 60_000;
const manifestWith = (prefix: string) => ({ disallowedFeatures: [{ featureIdPrefix: prefix }], featureAdvisories: [] });
const empty = { disallowedFeatures: [], featureAdvisories: [] };

let cacheFolder: string;
let now: number;
let requests: string[];
let patienceMilliseconds: number;
/** The site that publishes the manifest is not reachable from tests: a function stands for it. */
let answer: Download;

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), "cooper-test-"));
  now = start;
  patienceMilliseconds = 2000;
  requests = [];
  answers(200, JSON.stringify(manifestWith("ghcr.io/bad")));
});
afterEach(() => rm(cacheFolder, { recursive: true }));

function answers(status: number, text: string): void {
  answer = async () => ({ status, bytes: new TextEncoder().encode(text) });
}

function load() {
  const download: Download = (url, options) => {
    requests.push(`${url} ${options.headers["user-agent"]} ${options.headers["accept"]}`);
    return answer(url, options);
  };
  return loadControlManifest({ cacheFolder, now: () => now, download, patienceMilliseconds });
}

describe("the control manifest", () => {
  test("is fetched from containers.dev and kept", async () => {
    expect(await load()).toEqual(manifestWith("ghcr.io/bad"));
    expect(requests).toEqual([
      "https://containers.dev/static/devcontainer-control-manifest.json devcontainers-vscode application/json",
    ]);
    expect(await readdir(cacheFolder)).toEqual(["control-manifest.json"]);
  });

  test("is fetched again after five minutes only", async () => {
    await load();
    now += 5 * minute - 1000;
    await load();
    expect(requests).toHaveLength(1);
    now += 1000;
    answers(200, JSON.stringify(manifestWith("ghcr.io/worse")));
    expect(await load()).toEqual(manifestWith("ghcr.io/worse"));
  });

  test("is fetched again when the cache comes from the future", async () => {
    await load();
    now -= minute;
    await load();
    expect(requests).toHaveLength(2);
  });

  test.each([
    ["another status", () => answers(503, JSON.stringify(empty))],
    ["no JSON", () => answers(200, "<html>")],
    [
      "no network",
      () => {
        answer = () => Promise.reject(new Error("offline"));
      },
    ],
  ])("stays what it was after %s, for another five minutes", async (_, fail) => {
    await load();
    now += 6 * minute;
    fail();
    expect(await load()).toEqual(manifestWith("ghcr.io/bad"));
    now += 4 * minute;
    await load();
    expect(requests).toHaveLength(2);
  });

  test("is empty when it was never had, and is kept so", async () => {
    answers(404, "");
    expect(await load()).toEqual(empty);
    expect(JSON.parse(await readFile(join(cacheFolder, "control-manifest.json"), "utf8"))).toEqual(empty);
    await load();
    expect(requests).toHaveLength(1);
  });

  test("is fetched when its cache is damaged", async () => {
    await load();
    await writeFile(join(cacheFolder, "control-manifest.json"), "{");
    expect(await load()).toEqual(manifestWith("ghcr.io/bad"));
    expect(requests).toHaveLength(2);
  });

  test("is fetched each time when the cache cannot be written", async () => {
    cacheFolder = "/dev/null/nowhere";
    expect(await load()).toEqual(manifestWith("ghcr.io/bad"));
    expect(await load()).toEqual(manifestWith("ghcr.io/bad"));
    expect(requests).toHaveLength(2);
    cacheFolder = await mkdtemp(join(tmpdir(), "cooper-test-"));
  });

  test("is not waited for by a build when nothing answers", async () => {
    answer = () => Promise.withResolvers<never>().promise;
    patienceMilliseconds = 1;
    expect(await load()).toEqual(empty);
  });
});

describe("a forbidden Feature", () => {
  const manifest = parseControlManifest({
    disallowedFeatures: [{ featureIdPrefix: "ghcr.io/bad/thing", documentationURL: "https://example.com/why" }],
  });

  test("is refused with its id and the page that says why", () => {
    try {
      refuseDisallowedFeatures(manifest, ["./ok", "ghcr.io/bad/thing:1"]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(DisallowedFeatureError);
      expect(error).toMatchObject({
        message:
          "Feature 'ghcr.io/bad/thing:1' is not allowed: it was reported to be problematic. See https://example.com/why to learn more.",
        data: { disallowedFeatureId: "ghcr.io/bad/thing:1", learnMoreUrl: "https://example.com/why" },
      });
    }
  });

  test("is the only thing that is refused", () => {
    expect(() => refuseDisallowedFeatures(manifest, ["ghcr.io/bad/things", "./ok"])).not.toThrow();
  });
});
