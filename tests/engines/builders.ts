import { describe } from "bun:test";
import { describeEngine, type TestEngine } from "./engines.ts";

export type BuilderKind = "BuildKit" | "classic" | "podman";

/** An engine together with the way in which it is to build. */
export interface TestBuilder {
  readonly kind: BuilderKind;
  readonly engine: TestEngine;
  /** What `build` and `plan` are told so that they use it. */
  readonly flags: readonly string[];
}

/** What a command of an engine's client came to. */
export interface EngineAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ALL: readonly BuilderKind[] = ["BuildKit", "classic", "podman"];

/** A group of tests for each builder: docker with BuildKit, docker with the classic builder, podman. */
export function describeBuilders(body: (builder: TestBuilder) => void, kinds: readonly BuilderKind[] = ALL): void {
  const ofDocker = kinds.filter((kind) => kind !== "podman");
  if (ofDocker.length > 0) {
    describeEngine("docker", (engine) => {
      for (const kind of ofDocker) {
        const flags = kind === "classic" ? ["--buildkit", "never"] : [];
        describe(kind, () => body({ kind, engine, flags }));
      }
    });
  }
  if (kinds.includes("podman")) describeEngine("podman", (engine) => body({ kind: "podman", engine, flags: [] }));
}

/** Asks an engine's client; any exit code is an answer. */
export async function askEngine(
  engine: TestEngine,
  args: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<EngineAnswer> {
  const child = Bun.spawn([engine.path, ...args], {
    env: { ...process.env, ...engine.env },
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

/** The stdout of an engine's command; throws with what it said when it fails. */
export async function runEngine(
  engine: TestEngine,
  args: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await askEngine(engine, args, options);
  if (exitCode === 0) return stdout;
  throw new Error(`${engine.name} ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
}

/** The stdout of a shell script in a new container of the image, which starts as the image says. */
export function runInImage(engine: TestEngine, image: string, script: string): Promise<string> {
  return runEngine(engine, [
    "run",
    "--rm",
    "--pull=never",
    "--network=none",
    "--entrypoint",
    "/bin/sh",
    image,
    "-c",
    script,
  ]);
}
