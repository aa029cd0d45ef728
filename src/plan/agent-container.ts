import { csvRecord } from "./csv-record.ts";

/** A container that an agent works in: all that crosses the boundary, as data. One printer makes `run`'s argv of it, another a report. */
export interface AgentContainer {
  readonly name: string;
  readonly image: string;
  /** `uid:gid` */
  readonly user: string;
  /** Whether the caller's ids are to be the same inside, in a user namespace of the engine's. */
  readonly keepsId: boolean;
  readonly init: boolean;
  readonly terminal: boolean;
  /** Whether the engine's SELinux label stays on, with which the workspace cannot be read on some hosts. */
  readonly labelled: boolean;
  /** Whether the engine would hand in the caller's proxies by itself, if not told otherwise. */
  readonly handsInProxies: boolean;
  /** Whether the engine reads the name of an env file as a record of several. */
  readonly listsFiles: boolean;
  /** Whether the engine's `run` can label the volumes that it makes; else they are made before it. */
  readonly labelsVolumes: boolean;
  readonly workingDirectory: string;
  readonly mounts: readonly AgentMount[];
  /** Variables with their values. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the caller that are handed in by name: their values show nowhere. */
  readonly passedEnv: readonly string[];
  readonly envFiles: readonly EnvFile[];
  readonly network: string;
  /** The port of this machine's loopback for the container's port 80. */
  readonly port: number | undefined;
  /** Names that are added to those that it knows, with their addresses. */
  readonly hostNames: Readonly<Record<string, string>>;
  /** Whether it can reach what listens on this machine's loopback alone. */
  readonly hostLoopback: boolean;
  readonly readOnlyRoot: boolean;
  readonly memory: string;
  readonly cpus: number;
  readonly pidsLimit: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** A file of `NAME=value` lines, absolute, and the names in it. */
export interface EnvFile {
  readonly path: string;
  readonly names: readonly string[];
}

/** What of the host, or of nothing, is at a path of the container. */
export type AgentMount =
  | { readonly kind: "bind"; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | VolumeMount
  | { readonly kind: "tmpfs"; readonly target: string; readonly options: readonly string[] };

/** A volume of the engine's, and the labels that it gets where it is made. */
export interface VolumeMount {
  readonly kind: "volume";
  readonly source: string;
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The arguments of the commands that make the volumes which `run` would make without labels; for one that there is, they fail. */
export function agentVolumeArgs({ labelsVolumes, mounts }: AgentContainer): string[][] {
  if (labelsVolumes) return [];
  return mounts.flatMap((mount) =>
    mount.kind === "volume"
      ? [
          [
            "volume",
            "create",
            ...assignments(mount.labels).map((label) => `--label=${csvRecord([label])}`),
            mount.source,
          ],
        ]
      : [],
  );
}

/** The arguments of the engine's `run` that make and start the container. */
export function agentRunArgs(container: AgentContainer): string[] {
  const { port, labels, env } = container;
  return [
    "run",
    "--rm",
    "-i",
    ...(container.terminal ? ["-t"] : []),
    ...(container.init ? ["--init"] : []),
    "--pull=never",
    `--name=${container.name}`,
    ...(container.keepsId ? ["--userns=keep-id"] : []),
    `--user=${container.user}`,
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    ...(container.labelled ? [] : ["--security-opt=label=disable"]),
    `--network=${container.network}`,
    `--memory=${container.memory}`,
    `--cpus=${container.cpus}`,
    `--pids-limit=${container.pidsLimit}`,
    ...(container.readOnlyRoot ? ["--read-only"] : []),
    ...Object.entries(container.hostNames).map(([name, address]) => `--add-host=${name}:${address}`),
    ...(port === undefined ? [] : [`--publish=127.0.0.1:${port}:80`]),
    ...container.mounts.flatMap((mount) => mountArgs(mount, container)),
    ...(container.handsInProxies ? ["--http-proxy=false"] : []),
    // A name with a comma would be two files to Podman, the second wherever its name says.
    ...container.envFiles.map(({ path }) => `--env-file=${container.listsFiles ? csvRecord([path]) : path}`),
    ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
    ...container.passedEnv.map((name) => `--env=${name}`),
    ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    `--workdir=${container.workingDirectory}`,
    "--entrypoint=",
    container.image,
    ...container.command,
  ];
}

function mountArgs(mount: AgentMount, { labelsVolumes }: AgentContainer): string[] {
  switch (mount.kind) {
    case "bind":
      return [
        "--mount",
        csvRecord([
          "type=bind",
          `source=${mount.source}`,
          `target=${mount.target}`,
          ...(mount.readOnly ? ["readonly"] : []),
        ]),
      ];
    case "volume":
      return [
        "--mount",
        csvRecord([
          "type=volume",
          `source=${mount.source}`,
          `target=${mount.target}`,
          ...(labelsVolumes ? assignments(mount.labels).map((label) => `volume-label=${label}`) : []),
        ]),
      ];
    case "tmpfs":
      return mount.target.includes(":")
        ? ["--mount", csvRecord(["type=tmpfs", `target=${mount.target}`, ...mount.options.flatMap(mountOption)])]
        : ["--tmpfs", `${mount.target}:${mount.options.join(",")}`];
  }
}

/** An option of `--tmpfs`, which ends a path at its first colon, as `--mount` has it; what both engines do anyway it has no word for. */
function mountOption(option: string): readonly string[] {
  const [, name, value] = /^(size|mode)=(.*)$/.exec(option) ?? [];
  if (name !== undefined) return [`tmpfs-${name}=${value}`];
  return option === "ro" || option === "notmpcopyup" ? [option] : [];
}

function assignments(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}
