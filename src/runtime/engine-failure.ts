import { UserError } from "../errors.ts";
import type { Command } from "../plan/command.ts";
import { describeCommand } from "../plan/command.ts";

/** Why an engine could not be talked to at all, whatever it was asked; `undefined` when it did answer. */
export function unreachableReason(stderr: string): "not running" | "permission denied" | undefined {
  if (
    /permission denied.*(?:connect|docker\.sock|podman\.sock|daemon socket)|(?:connect|docker\.sock|podman\.sock).*permission denied/i.test(
      stderr,
    )
  ) {
    return "permission denied";
  }
  if (
    /cannot connect to (?:the docker daemon|podman)|is the docker daemon running|unable to connect to podman|error during connect|failed to connect to the docker api/i.test(
      stderr,
    )
  ) {
    return "not running";
  }
  return undefined;
}

/** The engine's daemon could not be talked to; another engine may answer. */
export class UnreachableEngine extends UserError {}

/** The error for an engine that does not answer, with what to do about it. */
export function unreachableEngine(
  path: string,
  reason: "not running" | "permission denied",
  stderr: string,
): UnreachableEngine {
  const found = stderr.trim().split("\n").at(-1) ?? "";
  switch (reason) {
    case "not running":
      return new UnreachableEngine(`The container engine behind ${path} is not running: ${found}`, {
        hint: "Start it (systemctl start docker, podman machine start, Docker Desktop), check DOCKER_HOST, or name another with --docker-path.",
      });
    case "permission denied":
      return new UnreachableEngine(`Permission denied on the socket of the container engine behind ${path}: ${found}`, {
        hint: "Add yourself to the engine's group (sudo usermod -aG docker $USER, then log in again), or use rootless Podman with --docker-path podman.",
      });
  }
}

/** The error for an engine's command that ran and failed: `Command failed: …` and the last lines it printed. */
export function failedCommand(command: Command, exitCode: number, output: string): UserError {
  const reason = unreachableReason(output);
  if (reason !== undefined) return unreachableEngine(command.file, reason, output);
  const tail = output.trimEnd().split("\n").slice(-15).join("\n");
  const hint = hintFor(output);
  return new UserError(
    `Command failed: ${describeCommand(command)} (exit code ${exitCode})${tail === "" ? "" : `\n${tail}`}`,
    hint === undefined ? {} : { hint },
  );
}

function hintFor(output: string): string | undefined {
  if (/no space left on device/i.test(output)) {
    return "The disk is full: free some space (docker system df, docker system prune) and run the same command again.";
  }
  if (/port is already allocated|bind: address already in use|ports are not available/i.test(output)) {
    return "Another process or container has a port that this one publishes: end it (cooper ps --all lists dev containers), or change appPort or runArgs in devcontainer.json.";
  }
  if (/\/bin\/sh\W.*(?:no such file|not found)/i.test(output)) {
    return "The image has no /bin/sh, which a dev container needs: use a base image with a shell.";
  }
  return undefined;
}
