import { UserError } from "../errors.ts";
import type { Engine } from "./engine.ts";

/** A Compose command: the words that it begins with, and what it needs in its environment to reach the engine. */
export interface ComposeClient {
  readonly file: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Major and minor. */
  readonly version: readonly [number, number];
}

/** What a Compose command is looked for with. */
export interface ComposeWishes {
  /** Of the command line; tried when the engine's client has no `compose` command. */
  readonly composePath: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The first version that prints a project as JSON. */
const OLDEST_MAJOR = 2;

const INSTALL_HINT =
  "Install the Compose plugin (apt-get install docker-compose-v2 or docker-compose-plugin, dnf install docker-compose), or name a docker-compose 2 with --docker-compose-path.";

/** The Compose command that an engine's client has, if it has one. */
export function ownComposeClient(engine: Engine): Omit<ComposeClient, "version"> {
  return { file: engine.path, words: ["compose"], env: {} };
}

/** The Compose command of an engine: its client's own, else a program beside it. Throws UserError when there is none that can be used. */
export async function findComposeClient(engine: Engine, wishes: ComposeWishes): Promise<ComposeClient> {
  const own = await engine.ask(["compose", "version", "--short"]);
  const ownVersion = own.exitCode === 0 ? versionIn(own.stdout) : undefined;
  if (ownVersion !== undefined && ownVersion[0] >= OLDEST_MAJOR) {
    return { ...ownComposeClient(engine), version: ownVersion };
  }
  const beside = wishes.composePath ?? "docker-compose";
  const answer = await engine.askHost(beside, ["version", "--short"]);
  const version = answer?.exitCode === 0 ? versionIn(answer.stdout) : undefined;
  if (version !== undefined && version[0] >= OLDEST_MAJOR) {
    return { file: beside, words: [], env: await environmentBeside(engine, wishes), version };
  }
  throw missingCompose([
    { command: `${engine.path} compose`, version: ownVersion },
    { command: beside, version },
  ]);
}

/** Major and minor of the first version that a text has. */
function versionIn(text: string): readonly [number, number] | undefined {
  const match = /(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

interface Candidate {
  readonly command: string;
  readonly version: readonly [number, number] | undefined;
}

function missingCompose(candidates: readonly Candidate[]): UserError {
  const found = candidates.map(({ command, version }) =>
    version === undefined
      ? `${command} is not there`
      : `${command} is version ${version.join(".")}, which cannot print a project as JSON`,
  );
  return new UserError(`devcontainer.json needs Docker Compose 2 or newer: ${found.join(", and ")}.`, {
    hint: INSTALL_HINT,
  });
}

/** A program of its own talks to Docker unless it is told where Podman listens. */
async function environmentBeside(engine: Engine, { environment }: ComposeWishes): Promise<Record<string, string>> {
  const client = await engine.ask(["-v"]);
  if (!client.stdout.includes("podman")) return {};
  const { stdout } = await engine.ask([
    "info",
    "--format",
    "{{.Host.RemoteSocket.Exists}} {{.Host.RemoteSocket.Path}}",
  ]);
  const path = /^true (?:unix:\/\/)?(\/.*)$/.exec(stdout.trim())?.[1];
  if (path !== undefined) return { DOCKER_HOST: `unix://${path}` };
  if (environment["CONTAINER_HOST"]) return { DOCKER_HOST: environment["CONTAINER_HOST"] };
  if (environment["DOCKER_HOST"]) return {};
  throw new UserError("Podman does not listen on its socket, through which docker-compose would talk to it.", {
    hint: "Start it: systemctl --user enable --now podman.socket (as root without --user).",
  });
}
