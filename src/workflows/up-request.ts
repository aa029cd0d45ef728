import type { IdLabels } from "../devcontainer/identity.ts";
import type { LifecycleWishes } from "../devcontainer/lifecycle.ts";
import type { Mount } from "../devcontainer/schema.ts";
import type { GpuAvailability } from "../plan/gpus.ts";
import type { BuildShow } from "./build-image.ts";
import type { BuildRequest } from "./build-request.ts";
import type { MountFlags } from "./load-configuration.ts";
import type { UserEnvProbe } from "./probe-environment.ts";

/** How commands are run in a container, as the command line wants it. */
export interface RunWishes {
  readonly lifecycle: LifecycleWishes;
  readonly defaultUserEnvProbe: UserEnvProbe;
  readonly remoteEnv: Readonly<Record<string, string>>;
  readonly containerDataFolder: string | undefined;
  readonly containerSystemDataFolder: string | undefined;
  readonly containerSessionDataFolder: string | undefined;
  readonly dotfiles: DotfilesWishes;
  /** Absolute; a JSON object of variables for hooks. */
  readonly secretsFile: string | undefined;
  /** Whether the repository's own commands may run on the host; undefined asks, where there is somebody to ask. */
  readonly hostCommands: boolean | undefined;
}

export interface DotfilesWishes {
  readonly repository: string | undefined;
  readonly installCommand: string | undefined;
  readonly targetPath: string;
}

/** What `up` is asked for. */
export interface UpRequest {
  readonly build: BuildRequest;
  readonly show: BuildShow;
  readonly overrideConfigPath: string | undefined;
  readonly mountFlags: MountFlags;
  /** Empty where none are given. */
  readonly idLabels: IdLabels;
  readonly mounts: readonly Mount[];
  readonly gpuAvailability: GpuAvailability;
  readonly sshAgent: boolean;
  readonly removeExisting: boolean;
  readonly expectExisting: boolean;
  readonly run: RunWishes;
  readonly includeConfiguration: boolean;
  readonly includeMerged: boolean;
}
