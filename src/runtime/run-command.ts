import { metadataLabelName } from "../devcontainer/metadata-label.ts";
import { startScript } from "../dockerfile/start-script.ts";
import type { Command } from "../plan/command.ts";
import type { ContainerSpec } from "../plan/container-spec.ts";

/** The command that makes a container, starts it and prints its id; options in the reference CLI's order. */
export function runCommand(enginePath: string, spec: ContainerSpec): Command {
  const args = [
    "run",
    "-d",
    ...repeat("-p", spec.publish),
    ...repeat("--mount", spec.mounts),
    ...repeat("-l", spec.labels.map(assignment)),
    ...repeat("-e", Object.entries(spec.env).map(assignment)),
    ...(spec.user === undefined ? [] : ["-u", spec.user]),
    ...spec.engineArgs,
    ...spec.runArgs,
    ...(spec.gpus ? ["--gpus", "all"] : []),
    ...(spec.init ? ["--init"] : []),
    ...(spec.privileged ? ["--privileged"] : []),
    ...repeat("--cap-add", spec.capAdd),
    ...repeat("--security-opt", spec.securityOpt),
    "--entrypoint",
    "/bin/sh",
    ...(spec.metadataLabel === undefined ? [] : ["-l", `${metadataLabelName}=${spec.metadataLabel}`]),
    spec.image,
    "-c",
    startScript(spec.entrypoints),
    "-",
    ...spec.command,
  ];
  return { file: enginePath, args, env: {} };
}

function assignment([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

function repeat(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}
