import type { IdLabels } from "../devcontainer/identity.ts";
import type { MergedMetadata } from "../devcontainer/merge.ts";
import type { MetadataEntry } from "../devcontainer/metadata-label.ts";
import type { DevContainerConfig, Mount } from "../devcontainer/schema.ts";
import type { WorkspaceMount } from "../devcontainer/workspace-mount.ts";
import type { ContainerSpec } from "./container-spec.ts";
import { choosesUserNamespace, mapsIds, workingUser } from "./run-args.ts";

/** The engine and host that a container is to run on, as far as its options depend on them. */
export type ContainerHost =
  | { readonly kind: "docker" }
  /** `linux` is whether the client's host is Linux, rather than that of a machine's virtual one. */
  | { readonly kind: "podman"; readonly linux: boolean; readonly rootless: boolean };

/** The image that a container is made from. */
export interface ContainerImage {
  readonly reference: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** What a container is planned from; configuration and metadata are substituted. */
export interface ContainerPlanInput {
  readonly image: ContainerImage;
  readonly config: Pick<DevContainerConfig, "appPort" | "runArgs">;
  readonly merged: MergedMetadata;
  readonly workspace: Pick<WorkspaceMount, "workspaceMount" | "additionalMount">;
  readonly idLabels: IdLabels;
  /** Mounts of the command line. */
  readonly mounts: readonly Mount[];
  readonly gpus: boolean;
  /** What the image's label lacks, unsubstituted and whole; undefined where the image carries it. */
  readonly metadata: readonly MetadataEntry[] | undefined;
  readonly host: ContainerHost;
}

/** The container of a configuration with an image or a Dockerfile. */
export function planContainer(input: ContainerPlanInput): ContainerSpec {
  const { image, config, merged, workspace } = input;
  const mounts = [...(merged.mounts ?? []), ...input.mounts];
  const runArgs = config.runArgs ?? [];
  const namespace = userNamespace(input);
  return {
    image: image.reference,
    publish: [config.appPort ?? []].flat().map(publishValue),
    mounts: [workspace.workspaceMount, workspace.additionalMount, ...mounts.map(mountValue)].filter(isPresent),
    externalVolumes: mounts.flatMap(externalVolume),
    labels: Object.entries(input.idLabels),
    env: merged.containerEnv,
    user: merged.containerUser ?? namespace.user,
    engineArgs: [...securityArgs(input.host), ...namespace.args],
    runArgs,
    gpus: input.gpus,
    init: merged.init,
    privileged: merged.privileged,
    capAdd: merged.capAdd ?? [],
    securityOpt: merged.securityOpt ?? [],
    entrypoints: merged.entrypoints ?? [],
    command: merged.overrideCommand === false ? [...image.entrypoint, ...image.command] : [],
    metadataLabel: metadataLabel(input.metadata),
  };
}

/** The value of `--mount` for a mount in either form; `external` is for Compose alone. */
export function mountValue(mount: Mount): string {
  if (typeof mount === "string") return mount;
  const source = mount.source === undefined || mount.source === "" ? "" : `src=${mount.source},`;
  return `type=${mount.type},${source}dst=${mount.target}`;
}

/** A number is a port that the container and the host's loopback share; anything else is the engine's own notation. */
function publishValue(port: number | string): string {
  return typeof port === "number" ? `127.0.0.1:${port}:${port}` : port;
}

function externalVolume(mount: Mount): readonly string[] {
  return typeof mount !== "string" && mount.external === true && mount.source !== undefined ? [mount.source] : [];
}

/** On an SELinux host a container may not read the user's files unless it goes without its label. */
function securityArgs(host: ContainerHost): readonly string[] {
  switch (host.kind) {
    case "docker":
      return [];
    case "podman":
      return host.linux ? ["--security-opt", "label=disable"] : [];
  }
}

interface UserNamespace {
  readonly args: readonly string[];
  /** Has to be said where the namespace would change it. */
  readonly user: string | undefined;
}

/** Rootless Podman keeps the caller's ids for a user that is not root, so that both own the same files of the workspace. */
function userNamespace({ image, config, merged, host }: ContainerPlanInput): UserNamespace {
  const runArgs = config.runArgs ?? [];
  const none = { args: [], user: undefined };
  // With root as the caller, Podman knows no ids to keep and refuses.
  if (host.kind !== "podman" || !host.linux || !host.rootless) return none;
  if (mapsIds(runArgs) || choosesUserNamespace(runArgs)) return none;
  const { remoteUser, containerUser } = merged;
  if (workingUser({ remoteUser, containerUser, runArgs, imageUser: image.user }) === "root") return none;
  // Else Podman would run the image's entrypoint as the caller and not as the image's user.
  return { args: ["--userns=keep-id"], user: image.user === "" ? "root" : image.user };
}

function metadataLabel(entries: readonly MetadataEntry[] | undefined): string | undefined {
  // None at all are said too: without the label the container would be taken to have the configuration of the day.
  return entries === undefined ? undefined : JSON.stringify(entries);
}

function isPresent(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
