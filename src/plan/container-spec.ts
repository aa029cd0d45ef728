/** A container that is to be made, as data: one printer makes `run`'s argv of it, another a Compose override file. */
export interface ContainerSpec {
  readonly image: string;
  /** Values of `--publish`, in order. */
  readonly publish: readonly string[];
  /** Values of `--mount`, in order: the workspace, a worktree's common directory, the merged mounts, those of the command line. */
  readonly mounts: readonly string[];
  /** Volumes among `mounts` that exist already and are not to be made; only Compose has to be told. */
  readonly externalVolumes: readonly string[];
  /** The identity labels, in order. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly env: Readonly<Record<string, string>>;
  /** `containerUser`; undefined leaves the image's. */
  readonly user: string | undefined;
  /** What the engine itself needs on this host (Podman: SELinux, user namespace), before `runArgs`. */
  readonly engineArgs: readonly string[];
  /** The configuration's own `runArgs`, verbatim. */
  readonly runArgs: readonly string[];
  /** Whether all of the host's GPUs are handed in. */
  readonly gpus: boolean;
  readonly init: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly securityOpt: readonly string[];
  /** Lines that the start script runs before anything else: the entrypoints of Features and images, in order. */
  readonly entrypoints: readonly string[];
  /** The image's own entrypoint and command, run after `entrypoints` when `overrideCommand` says so; else empty. */
  readonly command: readonly string[];
  /** The value of the `devcontainer.metadata` label where the image does not carry it; undefined where it does. */
  readonly metadataLabel: string | undefined;
}
