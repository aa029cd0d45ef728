import { UserError } from "../errors.ts";
import type { Command } from "../plan/command.ts";
import { failedCommand } from "./engine-failure.ts";

/** The container of an `exec` was removed or stopped since it was looked for. */
export class VanishedContainer extends UserError {}

/** True for what docker or podman print when the container of an `exec` is not there or does not run. */
export function saysContainerVanished(output: string): boolean {
  return /no such container|no container with (?:name|id)|container [0-9a-z_.-]+ is (?:not running|restarting)|can only create exec sessions on running containers|container state improper/i.test(
    output,
  );
}

/** The error for a container that was there and is not any more, or does not run any more. */
export function vanishedContainer(container: string, found: string): VanishedContainer {
  return new VanishedContainer(`The dev container ${container.slice(0, 12)} ${found}.`, {
    hint: "Start it again with cooper up.",
  });
}

/** The error for an `exec` of our own that failed before it did its work. */
export function failedExec(
  command: Command,
  container: string,
  result: { exitCode: number; output: string },
): UserError {
  if (saysContainerVanished(result.output)) {
    return vanishedContainer(container, "was stopped or removed while it was being worked in");
  }
  if (/\/bin\/sh.*(?:no such file|not found|executable file)/is.test(result.output)) {
    return new UserError(`The dev container ${container.slice(0, 12)} has no /bin/sh, which hooks and shells need.`, {
      hint: "Use a base image with a shell.",
    });
  }
  return failedCommand(
    { ...command, args: command.args.slice(0, command.args.indexOf(container) + 2) },
    result.exitCode,
    result.output,
  );
}
