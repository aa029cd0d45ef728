import { afterAll, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { type ContainerDetails, readContainerInspection } from "../../src/runtime/container-details.ts";
import { askEngine, runEngine } from "./builders.ts";
import { type CooperResult, runCooper, type TestEngine } from "./engines.ts";
import { devcontainerJson, type Files, openScene, type Scene } from "./workspace.ts";

/** What a command says on stdout. */
export type Outcome = v.InferOutput<typeof outcomeSchema>;

/** One run of a command that prints an outcome. */
export interface OutcomeRun extends CooperResult {
  readonly outcome: Outcome;
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Projects, and the containers that are made of them, gone when the file's tests have run. */
export interface UpScene extends Scene {
  readonly engine: TestEngine;
  /** What all runs of the scene have as their cache, configuration and state. */
  readonly home: string;
  /** A new folder with a devcontainer.json and other files. */
  readonly project: (config: object, files?: Files) => string;
  /** Runs a command of cooper on a workspace. */
  readonly cooper: (command: string, folder: string, options?: RunOptions) => Promise<OutcomeRun>;
  /** The same for the reference CLI. */
  readonly reference: (command: string, folder: string, options?: RunOptions) => Promise<OutcomeRun>;
  /** The id of the container that `up` makes or finds; throws with what it said when it fails. */
  readonly up: (folder: string, options?: RunOptions) => Promise<string>;
  /** The containers of a workspace, in whatever state. */
  readonly containers: (folder: string) => Promise<readonly ContainerDetails[]>;
  /** What root's shell prints in a container. */
  readonly inContainer: (id: string, script: string) => Promise<string>;
  /** The lines of a file on this machine, none without the file. */
  readonly hostLines: (path: string) => readonly string[];
}

const outcomeSchema = v.looseObject({
  outcome: v.picklist(["success", "error"]),
  containerId: v.optional(v.string()),
  remoteUser: v.optional(v.string()),
  remoteWorkspaceFolder: v.optional(v.string()),
  message: v.optional(v.string()),
  description: v.optional(v.string()),
  result: v.optional(v.string()),
  configuration: v.optional(v.record(v.string(), v.unknown())),
  mergedConfiguration: v.optional(v.record(v.string(), v.unknown())),
});

const REFERENCE = join(import.meta.dir, "..", "..", "node_modules", ".bin", "devcontainer");

/** A scene for `up` on an engine; call it where `afterAll` may be called. */
export function openUpScene(engine: TestEngine): UpScene {
  const folders: string[] = [];
  const containers = (folder: string) => containersOf(engine, folder);
  let id = "";
  // Before the folders of the scene go, so that nothing writes to them.
  afterAll(async () => {
    for (const folder of folders) {
      const ids = (await containers(folder)).map((container) => container.id);
      if (ids.length > 0) await askEngine(engine, ["kill", ...ids]);
      if (ids.length > 0) await askEngine(engine, ["rm", "--force", "--volumes", ...ids]);
    }
    await removeNamed(engine, id);
  });
  const scene = openScene();
  id = scene.id;
  const home = scene.directory("home");
  const run = async (result: Promise<CooperResult>): Promise<OutcomeRun> => {
    const ended = await result;
    return { ...ended, outcome: readOutcome(ended) };
  };
  const cooper: UpScene["cooper"] = (command, folder, { args = [], ...options } = {}) =>
    run(runCooper([command, "--workspace-folder", folder, ...args], { engine, home, ...options }));
  return {
    ...scene,
    engine,
    home,
    containers,
    cooper,
    project: (config, files = {}) => {
      const folder = scene.workspace({ ...devcontainerJson(config), ...files });
      folders.push(folder);
      return folder;
    },
    reference: (command, folder, options) =>
      run(runReference(engine, [command, "--workspace-folder", folder], options)),
    up: async (folder, options) => {
      const { outcome, stderr } = await cooper("up", folder, options);
      if (outcome.containerId === undefined || outcome.outcome !== "success")
        throw new Error(`up failed: ${outcome.message}\n${stderr}`);
      return outcome.containerId;
    },
    inContainer: (container, script) => runEngine(engine, ["exec", "-u", "0", container, "/bin/sh", "-c", script]),
    hostLines: (path) => (existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : []),
  };
}

/** Runs the reference CLI with an engine. */
export async function runReference(
  engine: TestEngine,
  words: readonly string[],
  { args = [], cwd, env = {} }: RunOptions = {},
): Promise<CooperResult> {
  const [command = "", ...others] = words;
  const child = Bun.spawn([REFERENCE, command, "--docker-path", engine.path, ...others, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...engine.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

/** The one JSON document on stdout; fails the test when there is anything else or the exit code says otherwise. */
export function readOutcome({ stdout, stderr, exitCode }: CooperResult): Outcome {
  if (!/^\{[^\n]*\}\n$/.test(stdout)) throw new Error(`stdout is not one line of JSON: ${stdout}\nstderr: ${stderr}`);
  const outcome = v.parse(outcomeSchema, JSON.parse(stdout));
  expect(exitCode).toBe(outcome.outcome === "success" ? 0 : 1);
  return outcome;
}

async function containersOf(engine: TestEngine, folder: string): Promise<readonly ContainerDetails[]> {
  const filter = `label=devcontainer.local_folder=${folder}`;
  const ids = (await runEngine(engine, ["ps", "-a", "-q", "--no-trunc", "--filter", filter])).trim();
  if (ids === "") return [];
  return readContainerInspection(await runEngine(engine, ["inspect", "--type", "container", ...ids.split("\n")]));
}

/** The images and volumes that have the scene's random word in their names. */
async function removeNamed(engine: TestEngine, word: string): Promise<void> {
  const images = await askEngine(engine, ["images", "--format", "{{.Repository}}:{{.Tag}}"]);
  const volumes = await askEngine(engine, ["volume", "ls", "-q"]);
  const named = (text: string) => text.split("\n").filter((name) => name.includes(word));
  if (named(images.stdout).length > 0) await askEngine(engine, ["rmi", "--force", ...named(images.stdout)]);
  if (named(volumes.stdout).length > 0) await askEngine(engine, ["volume", "rm", "--force", ...named(volumes.stdout)]);
}
