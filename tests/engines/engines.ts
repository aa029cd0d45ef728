import { describe, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `docker-containerd` is a docker that stores images with containerd, and so can hold images of several platforms. */
export type EngineName = "docker" | "docker-containerd" | "podman";

/** A container engine that tests can use, or `reason`, which says why they cannot. */
export interface TestEngine {
  readonly name: EngineName;
  /** The client's executable. */
  readonly path: string;
  /** What must be in the environment for the client to reach the engine, beside what is in ours. */
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly reason: string | undefined;
}

/** What a run of the compiled executable came to. */
export interface CooperResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CooperOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The engine to use, instead of the one that cooper finds. */
  readonly engine?: TestEngine;
  /** A directory for cooper's cache, configuration and state, to be kept between runs; without it each run gets a new one. */
  readonly home?: string;
}

/** The image that every engine must be able to run before its tests do. */
export const BASE_IMAGE = "docker.io/library/debian:bookworm-slim";

const root = join(import.meta.dir, "..", "..");
const required = (process.env["COOPER_REQUIRE_ENGINES"] ?? "").split(/[\s,]+/).filter((name) => name !== "");
const docker = findDocker();
const engines = await Promise.all([docker, findContainerdDocker(), findPodman()]);

/** Every engine that tests know, each with the reason if it cannot be used here. */
export function availableEngines(): readonly TestEngine[] {
  return engines;
}

/**
 * A group of tests on a real engine: skipped, with the reason in its name, where the engine cannot be used, and failed there when
 * COOPER_REQUIRE_ENGINES names it.
 */
export function describeEngine(name: EngineName, body: (engine: TestEngine) => void): void {
  const engine = engines.find((candidate) => candidate.name === name);
  if (engine === undefined) throw new Error(`no engine is called ${name}`);
  if (engine.reason === undefined) {
    describe(name, () => body(engine));
  } else if (required.includes(name)) {
    test(`${name} can be used, as COOPER_REQUIRE_ENGINES demands`, () => {
      throw new Error(engine.reason);
    });
  } else {
    describe.skip(`${name} (skipped: ${engine.reason})`, () => body(engine));
  }
}

/** Runs the compiled executable with a cache, configuration and state of its own. */
export async function runCooper(args: readonly string[], options: CooperOptions = {}): Promise<CooperResult> {
  const home = options.home ?? mkdtempSync(join(tmpdir(), "cooper-test-home-"));
  try {
    const { command, cwd, env } = cooperCommand(args, { ...options, home });
    const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { exitCode, stdout, stderr };
  } finally {
    if (options.home === undefined) rmSync(home, { recursive: true, force: true });
  }
}

/** What runs the compiled executable, for tests that need the process itself. */
export function cooperCommand(args: readonly string[], options: CooperOptions & { readonly home: string }) {
  return {
    command: [process.env["COOPER_TEST_BINARY"] ?? join(root, "dist", "cooper"), ...args],
    cwd: options.cwd ?? root,
    env: { ...environmentIn(options.home), ...engineEnvironment(options.engine), ...options.env },
  };
}

/** Our environment without what would change cooper's behaviour or output, and with XDG directories under `home`. */
function environmentIn(home: string): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || /^(COOPER_|OCX_|BUN_|DEVCONTAINERS_OCI_AUTH$|FORCE_COLOR$|CI$)/.test(name)
      ? []
      : [[name, value] as const],
  );
  // A rootless podman keeps its images in XDG_DATA_HOME, and must find them again.
  const data = process.getuid?.() === 0 ? { XDG_DATA_HOME: join(home, "data") } : {};
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: "1",
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    ...data,
  };
}

function engineEnvironment(engine: TestEngine | undefined): Record<string, string> {
  return engine === undefined ? {} : { COOPER_DOCKER_PATH: engine.path, ...engine.env };
}

function findDocker(): Promise<TestEngine> {
  return probe("docker", process.env["COOPER_TEST_DOCKER"] ?? Bun.which("docker") ?? "docker", {});
}

async function findContainerdDocker(): Promise<TestEngine> {
  const path = process.env["COOPER_TEST_DOCKER_CONTAINERD"];
  const host = process.env["COOPER_TEST_DOCKER_CONTAINERD_HOST"];
  if (path !== undefined && host !== undefined) return probe("docker-containerd", path, { DOCKER_HOST: host });
  const { path: ordinary, env, version, reason } = await docker;
  const engine = { name: "docker-containerd", path: ordinary, env, version } as const;
  if (reason !== undefined) return { ...engine, reason };
  const store = await answerOf([ordinary, "info", "--format", "{{.DriverStatus}}"], env);
  const isContainerd = store.text.includes("io.containerd.snapshotter");
  return { ...engine, reason: isContainerd ? undefined : "docker has its own image store here" };
}

function findPodman(): Promise<TestEngine> {
  return probe("podman", process.env["COOPER_TEST_PODMAN"] ?? Bun.which("podman") ?? "podman", {});
}

async function probe(name: EngineName, path: string, env: Readonly<Record<string, string>>): Promise<TestEngine> {
  const format = name === "podman" ? "{{.Client.Version}}" : "{{.Server.Version}}";
  const version = await answerOf([path, "version", "--format", format], env);
  if (!version.ok) return { name, path, env, version: "", reason: `it does not answer: ${version.text}` };
  const run = await answerOf([path, "run", "--rm", BASE_IMAGE, "true"], env);
  const reason = run.ok ? undefined : `it cannot run ${BASE_IMAGE}: ${run.text}`;
  return { name, path, env, version: version.text, reason };
}

/** The line of what the command says that matters; a minute is enough to pull the base image where there is a way to do so. */
async function answerOf(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const [file = "", ...args] = command;
  if (Bun.which(file) === null) return { ok: false, text: `${file} is not on PATH` };
  const child = Bun.spawn([file, ...args], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const complaints = stderr.trim().split("\n");
  const complaint = complaints.findLast((line) => /error|cannot|denied|fail/i.test(line)) ?? complaints.at(-1) ?? "";
  return exitCode === 0 ? { ok: true, text: stdout.trim() } : { ok: false, text: complaint };
}

if (import.meta.main) {
  for (const { name, version, reason } of engines) {
    const consequence = required.includes(name) ? "its tests FAIL" : "its tests are skipped";
    process.stdout.write(`${name}: ${reason === undefined ? version : `${consequence}, ${reason}`}\n`);
  }
}
