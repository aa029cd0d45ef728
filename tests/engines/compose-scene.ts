import { afterAll, describe, test } from "bun:test";
import { basename, join } from "node:path";
import * as v from "valibot";
import { askEngine, runEngine } from "./builders.ts";
import { type CooperOptions, type CooperResult, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import { openScene, type Scene } from "./workspace.ts";

/** What a command says on stdout, as far as tests of Compose look at it. */
export interface ComposeOutcome {
  readonly outcome: "success" | "error";
  readonly imageName?: string | readonly string[] | undefined;
  readonly containerId?: string | undefined;
  readonly composeProjectName?: string | undefined;
  readonly remoteUser?: string | undefined;
  readonly message?: string | undefined;
  readonly description?: string | undefined;
}

/** A run of cooper or of the reference CLI, and what it said. */
export interface ComposeRun extends CooperResult {
  readonly outcome: ComposeOutcome;
}

type RunOptions = Pick<CooperOptions, "env" | "cwd"> & { readonly args?: readonly string[] };

/** A scene whose Compose projects are gone when the file's tests have run. */
export interface ComposeScene extends Scene {
  /** Where cooper keeps override files. */
  readonly overrideFolder: string;
  /** Runs a command of cooper, or of the reference CLI, for a workspace. */
  readonly cooper: (command: "build" | "up" | "down", folder: string, options?: RunOptions) => Promise<ComposeRun>;
  readonly reference: (command: "build" | "up", folder: string, options?: RunOptions) => Promise<ComposeRun>;
  /** The project that a workspace's files in `.devcontainer` make when nobody names it. */
  readonly projectOf: (folder: string) => string;
  /** Sees to it that a project and its images are removed. */
  readonly remember: (project: string) => void;
  /** The services of a project that run, by name. */
  readonly running: (project: string) => Promise<readonly string[]>;
  /** The stdout of a command in a container. */
  readonly inContainer: (id: string | undefined, ...command: string[]) => Promise<string>;
}

const REFERENCE = join(import.meta.dir, "..", "..", "node_modules", "@devcontainers", "cli", "devcontainer.js");
const LABEL = "com.docker.compose.project";

const outcomeSchema = v.object({
  outcome: v.picklist(["success", "error"]),
  imageName: v.optional(v.union([v.string(), v.array(v.string())])),
  containerId: v.optional(v.string()),
  composeProjectName: v.optional(v.string()),
  remoteUser: v.optional(v.string()),
  message: v.optional(v.string()),
  description: v.optional(v.string()),
});

/** A group of tests on a real Docker with its Compose plugin; skipped, with the reason, where there is none. */
export function describeCompose(body: (engine: TestEngine) => void): void {
  describeEngine("docker", (engine) => {
    const { exitCode } = Bun.spawnSync([engine.path, "compose", "version"], { env: { ...process.env, ...engine.env } });
    if (exitCode === 0) return body(engine);
    if (/\bdocker\b/.test(process.env["COOPER_REQUIRE_ENGINES"] ?? "")) {
      test("docker has its Compose plugin", () => {
        throw new Error("docker compose version failed");
      });
    } else describe.skip("Compose (skipped: docker has no Compose plugin)", () => body(engine));
  });
}

/** A scene on an engine for the tests of one file; call it where `afterAll` may be called. */
export function openComposeScene(engine: TestEngine): ComposeScene {
  const scene = openScene();
  const home = scene.directory("home");
  const projects = new Set<string>();
  const images = new Set<string>();
  let workspaces = 0;
  const projectOf = (folder: string) => `${basename(folder).toLowerCase()}_devcontainer`;
  const remember = (project: string) => {
    projects.add(project);
  };
  const note = (folder: string, run: CooperResult): ComposeRun => {
    const outcome = v.parse(outcomeSchema, JSON.parse(run.stdout.trim().split("\n").at(-1) ?? ""));
    for (const image of [outcome.imageName ?? []].flat()) images.add(image);
    remember(outcome.composeProjectName ?? projectOf(folder));
    return { ...run, outcome };
  };
  afterAll(async () => {
    for (const project of projects) await removeProject(engine, project);
    for (const pattern of [`localhost/cooper/project*-${scene.id}`, `vsc-project*-${scene.id}-*`]) {
      for (const image of await imagesLike(engine, pattern)) images.add(image);
    }
    if (images.size > 0) await askEngine(engine, ["rmi", "--force", ...images]);
  });
  return {
    ...scene,
    // Two folders of one name would be one project.
    workspace: (files) => {
      workspaces += 1;
      return scene.workspace(files, { name: `project${workspaces}` });
    },
    overrideFolder: join(home, "cache", "cooper", "docker-compose"),
    projectOf,
    remember,
    cooper: async (command, folder, { args = [], ...options } = {}) =>
      note(folder, await runCooper([command, "--workspace-folder", folder, ...args], { home, engine, ...options })),
    reference: async (command, folder, { args = [], ...options } = {}) => {
      const words = [
        command,
        "--workspace-folder",
        folder,
        "--docker-path",
        engine.path,
        "--user-data-folder",
        home,
        ...args,
      ];
      return note(folder, await runReference(words, { engine, ...options }));
    },
    running: async (project) => {
      const format = '{{.Label "com.docker.compose.service"}}';
      const names = await runEngine(engine, ["ps", "--filter", `label=${LABEL}=${project}`, "--format", format]);
      return names
        .split("\n")
        .filter((name) => name !== "")
        .sort();
    },
    inContainer: (id, ...command) => runEngine(engine, ["exec", id ?? "", ...command]),
  };
}

async function runReference(
  words: readonly string[],
  options: RunOptions & { engine: TestEngine },
): Promise<CooperResult> {
  const child = Bun.spawn(["node", REFERENCE, ...words], {
    env: { ...process.env, ...options.engine.env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

/** Containers, networks, volumes and images that carry the project's label, or its name. */
async function removeProject(engine: TestEngine, project: string): Promise<void> {
  const named = async (kind: string, ...args: string[]) =>
    (await askEngine(engine, [kind, "ls", "-q", ...args])).stdout.split("\n").filter((id) => id !== "");
  const label = ["--filter", `label=${LABEL}=${project}`];
  const containers = await named("container", "-a", ...label);
  if (containers.length > 0) await askEngine(engine, ["rm", "--force", "--volumes", ...containers]);
  for (const kind of ["network", "volume"]) {
    const found = await named(kind, ...label);
    if (found.length > 0) await askEngine(engine, [kind, "rm", ...found]);
  }
  const found = await imagesLike(engine, `${project}-*`);
  if (found.length > 0) await askEngine(engine, ["rmi", "--force", ...found]);
}

async function imagesLike(engine: TestEngine, pattern: string): Promise<readonly string[]> {
  const args = ["image", "ls", "--filter", `reference=${pattern}`, "--format", "{{.Repository}}:{{.Tag}}"];
  return (await askEngine(engine, args)).stdout.split("\n").filter((name) => name !== "");
}
