import type { UserIdsWish } from "../plan/user-ids.ts";

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
  /** What makes the image: an engine unless told. */
  readonly backend?: "engine" | "assemble" | undefined;
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
