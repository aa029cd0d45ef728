import type { Engine } from "./engine.ts";

/** What builds images behind an engine, as far as it decides how a plan is rendered. */
export type Builder =
  | { readonly kind: "buildx"; readonly namedContexts: boolean }
  | { readonly kind: "classic" }
  | { readonly kind: "podman"; readonly namedContexts: boolean; readonly mounts: boolean; readonly selinux: boolean };

/** What the user asked of the builder. */
export interface BuilderWishes {
  readonly buildkit: "auto" | "never";
  /** Whether a builder was named: its BuildKit is its own, whatever the engine's version. */
  readonly named: boolean;
}

/** What the engine's client answered; null for a question that it could not answer. */
export interface BuilderAnswers {
  /** `docker -v` */
  readonly client: string | null;
  /** `docker buildx version` */
  readonly buildx: string | null;
  /** `docker version --format {{.Server.Version}}` */
  readonly server: string | null;
  /** `getenforce` and `podman info` agree that SELinux is on. */
  readonly selinux: boolean;
}

/** Asks the engine's client what is not known yet, at once, and decides; `known` is whose client it is, where that was seen. */
export async function detectBuilder(
  engine: Engine,
  wishes: BuilderWishes,
  known?: "docker" | "podman",
): Promise<Builder> {
  const answer = async (args: readonly string[]) => {
    const { exitCode, stdout } = await engine.ask(args);
    return exitCode === 0 ? stdout.trim() : null;
  };
  const isPodman = known === "podman";
  const [client, buildx, server] = await Promise.all([
    known === "docker" ? "Docker version" : answer(["-v"]),
    isPodman || wishes.buildkit === "never" ? null : answer(["buildx", "version"]),
    isPodman ? null : answer(["version", "--format", "{{.Server.Version}}"]),
  ]);
  const selinux = isPodmanClient(client) && (await selinuxIsOn(engine));
  return decideBuilder({ client, buildx, server, selinux }, wishes);
}

/** The builder that the answers speak of. */
export function decideBuilder(answers: BuilderAnswers, wishes: BuilderWishes): Builder {
  if (isPodmanClient(answers.client)) {
    const version = versionIn(answers.server) ?? versionIn(answers.client);
    const mounts = wishes.buildkit !== "never";
    return { kind: "podman", namedContexts: mounts && atLeast(version, [4, 2]), mounts, selinux: answers.selinux };
  }
  if (answers.buildx === null) return { kind: "classic" };
  // The engine carries the frontend: one older than 23 refuses named contexts whatever buildx can do.
  const engineCan = wishes.named || atLeast(versionIn(answers.server), [23, 0]);
  return { kind: "buildx", namedContexts: engineCan && atLeast(versionIn(answers.buildx), [0, 8]) };
}

/** Podman calls itself by the name it was started under, `docker version 4.3.1`; docker writes `Docker version`. */
function isPodmanClient(client: string | null): boolean {
  return client !== null && !client.startsWith("Docker version") && /\bversion\b/.test(client);
}

async function selinuxIsOn(engine: Engine): Promise<boolean> {
  const mode = await engine.askHost("getenforce", []);
  if (mode === null || mode.exitCode !== 0 || mode.stdout.trim() === "Disabled") return false;
  const enabled = await engine.ask(["info", "-f", "{{.Host.Security.SELinuxEnabled}}"]);
  return enabled.exitCode === 0 && enabled.stdout.trim() === "true";
}

function versionIn(text: string | null): readonly [number, number] | undefined {
  const match = /(\d+)\.(\d+)\.\d+/.exec(text ?? "");
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

function atLeast(version: readonly [number, number] | undefined, wanted: readonly [number, number]): boolean {
  if (version === undefined) return false;
  return version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);
}
