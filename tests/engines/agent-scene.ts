import { afterAll } from "bun:test";
import { basename } from "node:path";
import { askEngine } from "./builders.ts";
import { cooperCommand, runCooper, type TestEngine } from "./engines.ts";
import { type Files, openScene } from "./workspace.ts";

/** Why real agents cannot be downloaded here, if so. */
export const whyNoAgents = findReason();

function findReason(): string | undefined {
  const npm = Bun.spawnSync(["npm", "view", "opencode-linux-x64", "version"], { stdout: "pipe", stderr: "pipe" });
  return npm.exitCode === 0 ? undefined : "the npm registry does not answer";
}

/** An agent that runs: its container, and where its project is in it. */
export interface RunningAgent {
  readonly id: string;
  readonly place: string;
}

/** Places for an engine's tests of agents; what they leave in the engine is gone when the tests have run. */
export function openAgentScene(engine: TestEngine) {
  const scene = openScene();
  const home = scene.directory("home");
  const folders: string[] = [];
  const containers = new Set<string>();
  const volumes = new Set<string>();
  afterAll(async () => {
    for (const id of containers) await askEngine(engine, ["rm", "--force", id]);
    for (const volume of volumes) await askEngine(engine, ["volume", "rm", volume]);
    const list = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "label=dev.cooper.plan"];
    const ours = (await askEngine(engine, list)).stdout
      .split("\n")
      .filter((name) => folders.some((folder) => name.includes(folder)));
    for (const image of ours) await askEngine(engine, ["rmi", "--force", image]);
  });
  const environment = { HOME: home };

  function project(settings: object, files: Files = {}): string {
    const json = { data_volumes_mode: "never", ...settings };
    const folder = scene.workspace({ "cooper.jsonc": { json }, ...files });
    folders.push(basename(folder).toLowerCase());
    Bun.spawnSync(["git", "init", "-q", folder]);
    return folder;
  }

  async function start(folder: string, env: Readonly<Record<string, string>> = {}): Promise<RunningAgent> {
    const options = { engine, home, cwd: folder, env: { ...environment, ...env } };
    const { command, cwd, env: whole } = cooperCommand(["opencode", "serve", "--port", "4096"], options);
    const child = Bun.spawn([...command], { cwd, env: whole, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const ask = ["ps", "--quiet", "--no-trunc", "--filter", `label=dev.cooper.agent.workspace=${folder}`];
    for (let round = 0; round < 300; round += 1) {
      const id = (await askEngine(engine, ask)).stdout.trim();
      if (id !== "") {
        containers.add(id);
        const place = (await askEngine(engine, ["exec", id, "pwd"])).stdout.trim();
        if (place !== "") return { id, place };
      }
      if (child.exitCode !== null) break;
      await Bun.sleep(100);
    }
    throw new Error(`No agent runs: it ended with ${child.exitCode}: ${await child.stderr.text()}`);
  }

  return {
    ...scene,
    home,
    project,
    start,
    /** Removed from the engine in the end. */
    keepVolume: (name: string) => volumes.add(name),
    cooper: (cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      runCooper(args, { engine, home, cwd, env: { ...environment, ...env } }),
  };
}
