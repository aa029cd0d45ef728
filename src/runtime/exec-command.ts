import type { Command } from "../plan/command.ts";
import { channelOf, type VariableChannel } from "./client-environment.ts";

/** A process to run in a container. */
export interface ExecSpec {
  /** Id or name. */
  readonly container: string;
  readonly command: readonly string[];
  /** `user` or `user:group`; undefined for the container's own. */
  readonly user?: string | undefined;
  readonly workingDirectory?: string | undefined;
  /** Added to the container's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Added to `env`; nothing of it is in the argv, whatever its name. */
  readonly secretEnv?: Readonly<Record<string, string>> | undefined;
  /** Variables of the container's own environment that the process must not have. */
  readonly unset?: readonly string[] | undefined;
  readonly stdin?: boolean;
  readonly terminal?: boolean;
}

/**
 * The `exec` of docker or podman for a process. Values are in the client's environment, not in its argv, which every user of the host
 * can read: `-e NAME`. A value that would mean something to the client travels as COOPER_ENV_<n> and gets its name in the container.
 */
export function execCommand(enginePath: string, spec: ExecSpec): Command {
  const { secretEnv = {}, unset = [] } = spec;
  const env = { ...spec.env, ...secretEnv };
  const by = (channel: VariableChannel) => Object.keys(env).filter((name) => channelFor(name, secretEnv) === channel);
  const [plain, shown, carried] = [by("environment"), by("argument"), by("shell")];
  const carriers = Object.fromEntries(carried.map((name, index) => [`COOPER_ENV_${index}`, env[name] ?? ""]));
  return {
    file: enginePath,
    args: [
      "exec",
      ...(spec.stdin === true ? ["-i"] : []),
      // Podman looks for the keys ctrl-p ctrl-q in any input, also in bytes that nobody typed.
      ...(spec.stdin === true && spec.terminal !== true ? ["--detach-keys="] : []),
      ...(spec.terminal === true ? ["-t"] : []),
      ...(spec.user === undefined ? [] : ["-u", spec.user]),
      ...(spec.workingDirectory === undefined ? [] : ["-w", spec.workingDirectory]),
      ...shown.flatMap((name) => ["-e", `${name}=${env[name]}`]),
      ...[...plain, ...Object.keys(carriers)].flatMap((name) => ["-e", name]),
      spec.container,
      ...renaming(carried, unset.filter(isIdentifier)),
      ...spec.command,
    ],
    env: { ...Object.fromEntries(plain.map((name) => [name, env[name] ?? ""])), ...carriers },
  };
}

function channelFor(name: string, secretEnv: Readonly<Record<string, string>>): VariableChannel {
  const channel = channelOf(name);
  return channel === "argument" && Object.hasOwn(secretEnv, name) ? "shell" : channel;
}

/** The words before a command that give carried variables their names and take others away; none where there is nothing to do. */
function renaming(carried: readonly string[], unset: readonly string[]): readonly string[] {
  if (carried.length === 0 && unset.length === 0) return [];
  const exports = carried.map((name, index) => `export ${name}="$COOPER_ENV_${index}"; unset COOPER_ENV_${index}; `);
  const removal = unset.length === 0 ? "" : `unset ${unset.join(" ")}; `;
  return ["/bin/sh", "-c", `${exports.join("")}${removal}exec "$@"`, "sh"];
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
