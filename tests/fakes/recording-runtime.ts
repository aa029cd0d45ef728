import { uninterrupted } from "../../src/host/interruption.ts";
import type { Log } from "../../src/host/log.ts";
import type { ProcessResult, RunProcess } from "../../src/host/spawn.ts";
import { createTerminal } from "../../src/host/terminal.ts";
import type { Command } from "../../src/plan/command.ts";
import type { Tools } from "../../src/workflows/tools.ts";

/** A stand-in for an engine: answers as a docker or podman with these images would, builds nothing, remembers what was run. */
export interface RecordingRuntime {
  readonly runProcess: RunProcess;
  readonly commands: readonly Command[];
}

/** What the stand-in knows of an image, by the name it is asked for. */
export interface FakeImage {
  readonly id: string;
  readonly user?: string;
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly repoDigests?: readonly string[];
}

export type FakeEngineKind = "docker" | "docker without buildx" | "old docker" | "podman";

const ANSWERS: Readonly<Record<FakeEngineKind, { client: string; server: string; buildx: string | undefined }>> = {
  docker: { client: "Docker version 28.5.2, build x", server: "28.5.2", buildx: "github.com/docker/buildx 0.29.1 x" },
  "docker without buildx": { client: "Docker version 28.5.2, build x", server: "28.5.2", buildx: undefined },
  "old docker": {
    client: "Docker version 20.10.24, build x",
    server: "20.10.24",
    buildx: "github.com/docker/buildx 0.10.0 x",
  },
  podman: { client: "podman version 4.3.1", server: "4.3.1", buildx: undefined },
};

/** A runtime with these images; every build succeeds and prints nothing. */
export function createRecordingRuntime(
  kind: FakeEngineKind,
  images: Readonly<Record<string, FakeImage>>,
): RecordingRuntime {
  const commands: Command[] = [];
  const answers = ANSWERS[kind];
  const answer = ({ args }: Command): ProcessResult => {
    const line = args.join(" ");
    if (line === "-v") return success(answers.client);
    if (line === "buildx version")
      return answers.buildx === undefined ? failure("no such command") : success(answers.buildx);
    if (line.startsWith("version --format")) return success(answers.server);
    if (line.startsWith("image inspect ")) return inspect(args.slice(2), images);
    return success("");
  };
  return {
    commands,
    runProcess: async (command) => {
      commands.push(command);
      return answer(command);
    },
  };
}

/** Tools that act on nothing but a temporary home; what is logged goes to `messages`. */
export function createFakeTools(
  runtime: RecordingRuntime,
  homeDirectory: string,
): Tools & { readonly messages: string[] } {
  const messages: string[] = [];
  const say = (level: string) => (text: string) => {
    messages.push(`${level}: ${text}`);
  };
  const log: Log = {
    error: say("error"),
    warning: say("warning"),
    info: say("info"),
    debug: () => {},
    trace: () => {},
    raw: () => {},
    start: () => () => {},
    progress: () => {},
  };
  return {
    environment: { PATH: process.env["PATH"], HOME: homeDirectory, COOPER_DOCKER_PATH: "docker" },
    workingDirectory: homeDirectory,
    homeDirectory,
    terminal: createTerminal({ NO_COLOR: "1" }),
    log,
    runProcess: runtime.runProcess,
    interruption: uninterrupted,
    messages,
  };
}

function inspect(references: readonly string[], images: Readonly<Record<string, FakeImage>>): ProcessResult {
  const found = references.flatMap((reference) => {
    const image = images[reference];
    return image === undefined ? [] : [{ ...describe(image), RepoTags: [reference] }];
  });
  const complete = found.length === references.length;
  return { exitCode: complete ? 0 : 1, stdout: JSON.stringify(found), stderr: complete ? "" : "Error: No such image" };
}

function describe({ id, user = "", env = [], labels = {}, repoDigests = [] }: FakeImage) {
  return {
    Id: id,
    RepoDigests: repoDigests,
    Os: "linux",
    Architecture: "amd64",
    Config: { User: user, Env: env, Labels: labels },
  };
}

const success = (stdout: string): ProcessResult => ({ exitCode: 0, stdout, stderr: "" });
const failure = (stderr: string): ProcessResult => ({ exitCode: 1, stdout: "", stderr });
