import type { ProcessResult, SpawnOptions } from "../host/spawn.ts";

/** With what a machine keeps steps apart from itself. */
export interface SandboxMeans {
  /** `root`: ids are as they are. `user-namespace`: id 0 inside is the caller, the others come from /etc/subuid and /etc/subgid. */
  readonly identity: "root" | "user-namespace";
  /**
   * What mounts the layers. The kernel's marks are `user.overlay.*` attributes (opaque: `y`) and 0/0 character devices, for root too;
   * where a device cannot be made, fuse-overlayfs leaves files whose names begin with `.wh.`.
   */
  readonly overlay: "kernel" | "fuse";
}

/** The ids that a step runs with, as they are inside. */
export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** A host file, directory or socket that a step sees at `target`, an absolute path; nothing of it is in the layer. */
export interface SandboxBind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** A file that only exists in memory and while the step runs, readable by its owner alone. */
export interface SandboxSecret {
  /** An absolute path inside. */
  readonly target: string;
  readonly content: Uint8Array;
  readonly uid: number;
  readonly gid: number;
}

/** A process to run over layers, and what it may see. */
export interface SandboxStep {
  /** Absolute paths of unpacked layers, the topmost first. */
  readonly layers: readonly string[];
  /** An empty directory, into which everything that the step changes goes: the new layer. */
  readonly upper: string;
  /** An empty directory of this step's own on the file system of `upper`; what is in it afterwards is to be removed by the worker. */
  readonly work: string;
  /** Found by the PATH of `env`. The image needs a /bin/sh. */
  readonly argv: readonly string[];
  /** All of the environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: SandboxUser;
  readonly binds: readonly SandboxBind[];
  readonly secrets: readonly SandboxSecret[];
  readonly network: "host" | "none";
  readonly timeoutMilliseconds?: number;
}

/** Runs processes in namespaces of their own over layers. */
export interface Sandbox {
  readonly means: SandboxMeans;
  /**
   * Runs a step to its end, which is the end of all that it started; resolves to its exit code (128 + n for signal n). Throws UserError
   * when it could not be started or ran too long.
   */
  readonly run: (step: SandboxStep, options?: SpawnOptions) => Promise<ProcessResult>;
  /** Runs cooper's own `native-worker` with the ids of a step but with the host's files, as packing and removing layers needs. */
  readonly inside: (args: readonly string[], options?: SpawnOptions) => Promise<ProcessResult>;
}
