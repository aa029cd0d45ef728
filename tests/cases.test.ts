import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { BUILD_FLAGS, readBuildRequest } from "../src/cli/build-flags.ts";
import { parseFlags } from "../src/cli/flags.ts";
import { describeBuild } from "../src/workflows/build-image.ts";
import { loadConfiguration } from "../src/workflows/load-configuration.ts";
import { prepareBuild } from "../src/workflows/prepare-build.ts";
import {
  createFakeTools,
  createRecordingRuntime,
  type FakeEngineKind,
  type FakeImage,
} from "./fakes/recording-runtime.ts";

/**
 * A folder below tests/cases is a test: `workspace` is planned on a stand-in for an engine that has the images of IMAGES, and what
 * comes out is compared with `plan.json` and `Dockerfile` beside it, and with `Dockerfile.classic` and `Dockerfile.old-docker` where
 * those exist. `argv` holds options, one per line. UPDATE_CASES=1 writes what comes out instead.
 */
const root = join(import.meta.dir, "cases");
const home = mkdtempSync(join(tmpdir(), "cooper-cases-"));
afterAll(() => rmSync(home, { recursive: true }));

const IMAGES: Readonly<Record<string, FakeImage>> = {
  "debian:bookworm-slim": { id: `sha256:${"d".repeat(64)}`, env: ["PATH=/usr/bin:/bin"] },
  "node:22": { id: `sha256:${"e".repeat(64)}`, user: "node", repoDigests: [`node@sha256:${"f".repeat(64)}`] },
  "mcr.test/devcontainers/base:1": {
    id: `sha256:${"a".repeat(64)}`,
    labels: {
      "devcontainer.metadata":
        '[{"id":"common-utils","init":true},{"remoteUser":"vscode","remoteEnv":{"A":"${containerEnv:PATH}"}}]',
    },
  },
};

async function renderCase(name: string, kind: FakeEngineKind): Promise<{ plan: string; dockerfile: string }> {
  const folder = join(root, name);
  const argv = existsSync(join(folder, "argv")) ? readFileSync(join(folder, "argv"), "utf8").trim().split("\n") : [];
  const tools = createFakeTools(createRecordingRuntime(kind, IMAGES), home);
  const flags = parseFlags(BUILD_FLAGS, ["--workspace-folder", join(folder, "workspace"), ...argv], {
    kind: "words",
    atMost: 0,
  });
  const request = readBuildRequest(flags, tools);
  const prepared = await prepareBuild(request, loadConfiguration(request, tools), tools);
  const { dockerfile } = await describeBuild(prepared, tools);
  return {
    plan: `${JSON.stringify({ hash: prepared.planHash, tags: prepared.tags, plan: prepared.plan }, null, 2)}\n`,
    dockerfile: (dockerfile ?? "").replace(/(feature-content:)[0-9a-f]{12}/g, "$1<random>"),
  };
}

function compare(path: string, text: string): void {
  if (process.env["UPDATE_CASES"] === "1") writeFileSync(path, text);
  expect({ file: basename(path), text }).toEqual({ file: basename(path), text: readFileSync(path, "utf8") });
}

const RENDERINGS = [
  ["Dockerfile", "docker"],
  ["Dockerfile.classic", "docker without buildx"],
  ["Dockerfile.old-docker", "old docker"],
] as const;

for (const name of readdirSync(root).sort()) {
  const folder = join(root, name);
  test(`the case ${name} is planned and rendered as stored`, async () => {
    const { plan } = await renderCase(name, "docker");
    compare(join(folder, "plan.json"), plan);
    for (const [file, kind] of RENDERINGS) {
      if (file === "Dockerfile" || existsSync(join(folder, file)))
        compare(join(folder, file), (await renderCase(name, kind)).dockerfile);
    }
  });
}
