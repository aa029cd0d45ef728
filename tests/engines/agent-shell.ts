import { afterAll } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { csvRecord } from "../../src/plan/csv-record.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import { askEngine } from "./builders.ts";
import { cooperCommand, runCooper, type TestEngine } from "./engines.ts";
import { type Files, openScene } from "./workspace.ts";

/** Stands in for npm's registry: its opencode runs its words, so that tests can try what an agent could. Stopped when the tests have run. */
export function startShellRegistry(): string {
  const program = '#!/bin/sh\nexec "$@"\n';
  const archive = gzipSync(tarOf([{ path: "package/bin/opencode", content: program, mode: 0o755 }]));
  const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => {
      if (url.endsWith(".tgz")) return new Response(archive);
      const dist = { tarball: `${new URL(url).origin}/a.tgz`, integrity };
      return Response.json({ "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": { dist } } });
    },
  });
  afterAll(() => server.stop(true));
  return `${server.url}`;
}

/** Projects with a shell in an agent's place on an engine; what they leave in the engine is gone when the tests have run. */
export function openShellScene(engine: TestEngine) {
  const scene = openScene();
  const registry = startShellRegistry();
  const home = scene.directory("home");
  const folders: string[] = [];
  afterAll(async () => {
    const list = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "label=dev.cooper.plan"];
    const names = (await askEngine(engine, list)).stdout.split("\n");
    const ours = names.filter((name) => [scene.id, ...folders].some((part) => name.includes(part)));
    for (const image of ours) await askEngine(engine, ["rmi", "--force", image]);
  });
  const env = { HOME: home, npm_config_registry: registry };
  const cooper = (cwd: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runCooper(args, { engine, home, cwd, env: { ...env, ...more } });
  return {
    ...scene,
    home,
    env,
    cooper,
    /** A folder with these settings and files; not in git. */
    project: (settings: object, files: Files = {}) => {
      const json = { data_volumes_mode: "never", memory: "256m", ...settings };
      const folder = scene.workspace({ "cooper.jsonc": { json }, ...files });
      folders.push(basename(folder).toLowerCase());
      return folder;
    },
    /** Starts a script in the agent's place that ends when the file `going` of the project is removed; resolves to its container. */
    start: async (folder: string, more: Readonly<Record<string, string>> = {}) => {
      const options = { engine, home, cwd: folder, env: { ...env, ...more } };
      const words = ["opencode", "sh", "-c", "touch going; while [ -e going ]; do sleep 0.1; done"];
      const { command, cwd, env: whole } = cooperCommand(words, options);
      const child = Bun.spawn([...command], { cwd, env: whole, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
      const going = join(folder, "going");
      for (let round = 0; round < 600 && !existsSync(going) && child.exitCode === null; round += 1)
        await Bun.sleep(100);
      if (!existsSync(going)) throw new Error(`No agent runs: ${await child.stderr.text()}`);
      const label = `label=dev.cooper.agent.workspace=${folder}`;
      const filter = engine.name === "podman" ? csvRecord([label]) : label;
      const ask = ["ps", "--quiet", "--no-trunc", "--filter", filter];
      const id = (await askEngine(engine, ask)).stdout.trim();
      const stop = async () => {
        rmSync(going, { force: true });
        await child.exited;
      };
      return { id, stop, kill: () => child.kill("SIGKILL") };
    },
    /** Runs a script in the agent's place, in the project. */
    inside: (folder: string, script: string, more: Readonly<Record<string, string>> = {}) =>
      cooper(folder, ["opencode", "sh", "-c", script], more),
  };
}
