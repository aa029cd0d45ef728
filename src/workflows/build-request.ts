import type { UserIdsWish } from "../plan/user-ids.ts";

/** What can make an image: Docker or Podman, cooper's own engine, or nothing where nothing runs. */
export const BACKENDS = ["auto", "engine", "native", "assemble"] as const;
export type Backend = (typeof BACKENDS)[number];

/** What `build` and `plan` are asked for, as the command line has it. */
export interface BuildRequest {
  /** Absolute. */
  readonly workspaceFolder: string;
  /** Absolute; undefined looks for one in the workspace. */
  readonly configPath: string | undefined;
  /** JSON text of Features to add. */
  readonly additionalFeatures: string | undefined;
  /** Absolute; where a build is prepared. */
  readonly userDataFolder: string | undefined;
  readonly dockerPath: string | undefined;
  readonly dockerComposePath: string | undefined;
  readonly imageNames: readonly string[];
  readonly labels: readonly string[];
  readonly platform: string | undefined;
  readonly push: boolean;
  readonly output: string | undefined;
  readonly cacheFrom: readonly string[];
  readonly cacheTo: string | undefined;
  readonly noCache: boolean;
  readonly buildkit: "auto" | "never";
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  readonly builder: string | undefined;
  readonly lockfile: "write" | "frozen" | "off";
  readonly omitFeatureCustomizations: boolean;
  readonly omitSyntaxDirective: boolean;
  /** Whether the configuration's remoteEnv stays out of the metadata. */
  readonly omitConfigRemoteEnv: boolean;
  /** What makes the image: an engine unless told; `auto` is cooper's own where no other answers. */
  readonly backend?: Backend | undefined;
  /** Whether the steps of cooper's own engine, or of any, reach the network: as the host does unless told. */
  readonly network?: "host" | "none" | undefined;
  /** How long a step of cooper's own engine may run, in seconds. */
  readonly stepTimeout?: number | undefined;
  /** Whether an image that cooper itself makes is loaded into an engine too. */
  readonly load?: boolean | undefined;
  /** Whether the remote user is to have the ids of whoever asks; undefined for an image that others use too. */
  readonly userIds?: UserIdsWish | undefined;
}

/** A request for the image of a workspace as its configuration has it, with nothing asked for beyond. */
export function plainBuildRequest(place: Pick<BuildRequest, "workspaceFolder" | "configPath">): BuildRequest {
  return {
    ...place,
    additionalFeatures: undefined,
    userDataFolder: undefined,
    dockerPath: undefined,
    dockerComposePath: undefined,
    imageNames: [],
    labels: [],
    platform: undefined,
    push: false,
    output: undefined,
    cacheFrom: [],
    cacheTo: undefined,
    noCache: false,
    buildkit: "auto",
    secrets: [],
    ssh: [],
    builder: undefined,
    lockfile: "write",
    omitFeatureCustomizations: false,
    omitSyntaxDirective: false,
    omitConfigRemoteEnv: false,
  };
}
