import type { Command } from "../plan/command.ts";

/** A gate's container: which image, with which folder at /workspace, and the line of shell that it runs. */
export interface GateContainer {
  readonly name: string;
  readonly image: string;
  /** Absolute. */
  readonly repository: string;
  readonly command: string;
  /** Whether the shell reads the login files, which set PATH anew. */
  readonly login: boolean;
  /** Folders of the image that the mounted repository would hide. */
  readonly kept: readonly string[];
}

/** Where the repository is, in the image and when it is mounted. */
export const GATE_WORKSPACE = "/workspace";

/** The command that runs a gate and ends as it does; the container is left, so that it can be asked whether it was started. */
export function gateCommand(enginePath: string, gate: GateContainer): Command {
  const args = [
    "run",
    "--name",
    gate.name,
    "--pull",
    "never",
    // Labelled for nobody else, the files could not be read where SELinux is on.
    "--security-opt",
    "label=disable",
    "--mount",
    `type=bind,${csvField(`source=${gate.repository}`)},target=${GATE_WORKSPACE}`,
    ...gate.kept.flatMap((folder) => ["--volume", `${GATE_WORKSPACE}/${folder}`]),
    "--workdir",
    GATE_WORKSPACE,
    "--entrypoint",
    "/bin/sh",
    gate.image,
    gate.login ? "-lc" : "-c",
    gate.command,
  ];
  return { file: enginePath, args, env: {} };
}

function csvField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
