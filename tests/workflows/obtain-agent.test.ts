import { afterAll, afterEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chooseVariant, findAgent } from "../../src/agent/choose-variant.ts";
import { agentsFolder, obtainAgent, resolveAgentVersion } from "../../src/workflows/obtain-agent.ts";
import { recordingTools } from "../fakes/recording-tools.ts";
import { tarOf } from "../fakes/registry-tar.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-obtain-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const started: { stop: (now: boolean) => unknown }[] = [];
afterEach(() => {
  for (const server of started.splice(0)) server.stop(true);
});

const opencode = findAgent("opencode");
const x64 = chooseVariant(opencode, { arch: "x64", libc: "glibc", avx2: true });

function archiveOf(files: Readonly<Record<string, string>>) {
  const bytes = gzipSync(tarOf(Object.entries(files).map(([path, content]) => ({ path, content }))));
  return { bytes, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
}

/** A registry that stands in for npm's, whose answers a test decides; and tools whose home is new. */
function scene(files: Readonly<Record<string, string>> = { "package/bin/opencode": "program" }) {
  const archive = archiveOf(files);
  const state = { status: 200, versions: ["1.0.0"], asked: 0, downloads: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => {
      if (url.endsWith(".tgz")) {
        state.downloads += 1;
        return new Response(archive.bytes);
      }
      state.asked += 1;
      if (state.status !== 200) return new Response("", { status: state.status });
      const { integrity } = archive;
      const suffix = url.includes("codex") ? "-linux-x64" : "";
      const dist = { tarball: `${new URL(url).origin}/a.tgz`, integrity };
      return Response.json({
        "dist-tags": { latest: state.versions.at(-1) },
        versions: Object.fromEntries(state.versions.map((version) => [`${version}${suffix}`, { dist }])),
      });
    },
  });
  started.push(server);
  const home = mkdtempSync(join(root, "home-"));
  const { tools: bare, messages } = recordingTools(home);
  const tools = { ...bare, environment: { ...bare.environment, npm_config_registry: `${server.url}` } };
  return { state, tools, messages, folder: agentsFolder(tools) };
}

const latest = { agent: opencode, variant: x64, version: "latest" };

/** Makes what is known of the latest version as old as it can be. */
function age(folder: string, change: (known: { at: number; failedAt?: number }) => object) {
  const path = join(folder, "versions", "opencode-x64.json");
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
}
const day = 24 * 60 * 60 * 1000;

test("the latest is asked of a fake registry once a day", async () => {
  const { state, tools, folder } = scene();
  expect(await resolveAgentVersion(latest, tools)).toBe("1.0.0");
  state.versions.push("1.1.0");
  expect(await resolveAgentVersion(latest, tools)).toBe("1.0.0");
  expect(state.asked).toBe(1);
  age(folder, (known) => ({ ...known, at: known.at - day }));
  expect(await resolveAgentVersion(latest, tools)).toBe("1.1.0");
});

test("with a fake registry that fails, what was the latest serves, and the next starts do not ask for a while", async () => {
  const { state, tools, messages, folder } = scene();
  await resolveAgentVersion(latest, tools);
  age(folder, (known) => ({ ...known, at: known.at - day }));
  state.status = 503;
  const before = state.asked;
  expect(await resolveAgentVersion(latest, tools)).toBe("1.0.0");
  expect(state.asked - before).toBe(2);
  expect(messages.join("")).toContain("answered 503");
  expect(await resolveAgentVersion(latest, tools)).toBe("1.0.0");
  expect(state.asked - before).toBe(2);
  expect(messages.at(-1)).toContain("warning: opencode 1.0.0 is taken, which was the latest before");
  age(folder, (known) => ({ ...known, failedAt: (known.failedAt ?? 0) - 16 * 60 * 1000 }));
  state.status = 200;
  state.versions.push("2.0.0");
  expect(await resolveAgentVersion(latest, tools)).toBe("2.0.0");
  expect(readFileSync(join(folder, "versions", "opencode-x64.json"), "utf8")).not.toContain("failedAt");
});

test("who asks for the latest explicitly asks a fake registry that failed a moment ago", async () => {
  const { state, tools, folder } = scene();
  await resolveAgentVersion(latest, tools);
  age(folder, (known) => ({ ...known, at: known.at - day, failedAt: Date.now() }));
  state.versions.push("2.0.0");
  expect(await resolveAgentVersion(latest, tools, { fresh: true })).toBe("2.0.0");
});

test("a program of a fake registry is downloaded once, told with its size, and again when it is damaged", async () => {
  const { state, tools, messages } = scene();
  const question = { ...latest, version: "1.0.0" };
  const kept = await obtainAgent(question, tools);
  expect(messages[0]).toMatch(/^Download: opencode 1\.0\.0 for x64, \d+ B\n$/);
  expect(messages.at(-1)).toMatch(/^Downloaded opencode 1\.0\.0 for x64: \d+ B in /);
  expect(await obtainAgent(question, tools)).toEqual(kept);
  expect(state.downloads).toBe(1);
  writeFileSync(join(kept.folder, "opencode"), "damaged");
  expect(await obtainAgent(question, tools)).toEqual(kept);
  expect(state.downloads).toBe(2);
  expect(readFileSync(join(kept.folder, "opencode"), "utf8")).toBe("program");
});

test("a download from a fake registry sweeps what killed ones left", async () => {
  const { tools, folder } = scene();
  const left = join(folder, "opencode", "0.9.0", ".x64.1.partial");
  mkdirSync(left, { recursive: true });
  utimesSync(left, 1, 1);
  await obtainAgent({ ...latest, version: "1.0.0" }, tools);
  expect(readdirSync(join(folder, "opencode", "0.9.0"))).toEqual([]);
});

test("Codex brings what it needs beside its program, and nothing else of its package", async () => {
  const vendor = "package/vendor/x86_64-unknown-linux-musl";
  const { tools } = scene({
    [`${vendor}/bin/codex`]: "program",
    [`${vendor}/bin/codex-code-mode-host`]: "host",
    [`${vendor}/codex-path/rg`]: "search",
    [`${vendor}/codex-resources/bwrap`]: "sandbox",
    [`${vendor}/codex-resources/voice/bin/codex-voice-host`]: "voice",
    [`${vendor}/codex-package.json`]: "{}",
  });
  const codex = findAgent("codex");
  const variant = chooseVariant(codex, { arch: "x64", libc: "musl", avx2: true });
  const kept = await obtainAgent({ agent: codex, variant, version: "1.0.0" }, tools);
  expect(kept.files.map(({ name }) => name)).toEqual([
    "codex",
    "codex-code-mode-host",
    "rg",
    "bwrap",
    "codex-package.json",
  ]);
});
