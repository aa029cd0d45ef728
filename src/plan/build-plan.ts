import type { JsonObject } from "../json.ts";

/** Raised when the same plan would be rendered or executed to a different image, so that older images count as stale. */
export const PLAN_VERSION = 1;

/** What is to be built, and nothing about where or by what: serialisable, the same on every machine. */
export interface BuildPlan {
  readonly version: typeof PLAN_VERSION;
  readonly source: PlanSource;
  /** Requested platforms as `os/arch[/variant]`, sorted; empty for the builder's own. */
  readonly platforms: readonly string[];
  readonly users: ImageUsers;
  readonly steps: readonly BuildStep[];
}

/** Where the file system comes from that the steps extend. */
export type PlanSource = ImageSource | DockerfileSource;

/** A base image extended as it is. */
export interface ImageSource {
  readonly kind: "image";
  readonly base: BaseImage;
}

/** A user's Dockerfile, built up to `stage` and extended in the same build. */
export interface DockerfileSource {
  readonly kind: "dockerfile";
  readonly base: BaseImage;
  /** The user's text, with a name for the stage that is extended. */
  readonly text: string;
  readonly stage: string;
  /** The character the text escapes with: a backslash unless its `escape` directive says otherwise. */
  readonly escapeWith: string;
  readonly contextDigest: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Further arguments of the engine's build command, as configured. */
  readonly options: readonly string[];
  /** Digests of the other images that the text refers to, by reference; null where none is known. */
  readonly images: Readonly<Record<string, string | null>>;
}

/** A base image's facts, as far as they decide what is built. */
export interface BaseImage {
  readonly reference: string;
  /** Names the same bytes on every engine: the registry's manifest digest where known, else the config digest. */
  readonly digest: string;
  readonly platform: string;
}

/** `image` is the USER the image ends with; `container` and `remote` are what Features are told. */
export interface ImageUsers {
  readonly image: string;
  readonly container: string;
  readonly remote: string;
}

export type BuildStep =
  | FeatureStep
  | UserIdsStep
  | PackagesStep
  | RunStep
  | CopyStep
  | ContextStep
  | EnvStep
  | ConfigStep
  | MetadataStep
  | LabelStep;

/** A step that makes a layer by running something, as root. */
export type ExecutingStep = FeatureStep | UserIdsStep | PackagesStep | RunStep;

/** A step that makes a layer. */
export type LayerStep = ExecutingStep | CopyStep | ContextStep;

/** Installs one Feature by running its `install.sh` as root. */
export interface FeatureStep {
  readonly kind: "feature";
  /** Names the Feature's folder in the build: its id and place in the install order. */
  readonly folder: string;
  readonly reference: string;
  readonly digest: string;
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly version: string | null;
  readonly documentationUrl: string | null;
  /** Sentences that its users should read: deprecation, renaming. */
  readonly warnings: readonly string[];
  readonly options: readonly (readonly [name: string, value: string])[];
  /** Set in the image before the Feature installs; values may refer to variables of the image. */
  readonly containerEnv: Readonly<Record<string, string>>;
}

/** Gives a named user of the image other ids, and its home's files with them. */
export interface UserIdsStep {
  readonly kind: "user-ids";
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** Installs packages of the base image's distribution, by its own package manager. */
export interface PackagesStep {
  readonly kind: "packages";
  readonly manager: PackageManager;
  readonly packages: readonly string[];
}

/** Known package managers, by the name of their program. */
export type PackageManager = "apk" | "apt-get" | "dnf" | "microdnf" | "zypper";

/** Runs text of `/bin/sh` as root. */
export interface RunStep {
  readonly kind: "run";
  /** What it is for, in a few words. */
  readonly title: string;
  readonly command: string;
}

/** Puts files and folders into the image as they are, in one layer; nothing runs. */
export interface CopyStep {
  readonly kind: "copy";
  /** Names the step's folder of content in the build. */
  readonly folder: string;
  /** What it brings, in a few words. */
  readonly title: string;
  /** Parents before their children. */
  readonly entries: readonly CopyEntry[];
}

/** One file or folder at an absolute path of the image, with its owner's ids. */
export interface CopyEntry {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly content: CopyContent;
}

/**
 * A folder has the mode 0755. The bytes of a `file` lie under `name` in a folder of the host, with the mode that they are to have;
 * `digest` is their sha256.
 */
export type CopyContent =
  | { readonly kind: "directory" }
  | { readonly kind: "text"; readonly text: string; readonly mode: number }
  | { readonly kind: "file"; readonly name: string; readonly digest: string; readonly mode: number };

/** Copies the build's context, less what is ignored, to a folder of the image. */
export interface ContextStep {
  readonly kind: "context";
  readonly digest: string;
  readonly target: string;
}

/** Sets what the image's containers run and where; undefined leaves what the base has. */
export interface ConfigStep {
  readonly kind: "config";
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
}

/** Sets variables of the image to literal values. */
export interface EnvStep {
  readonly kind: "env";
  readonly variables: Readonly<Record<string, string>>;
}

/** The `devcontainer.metadata` label, one member per entry. */
export interface MetadataStep {
  readonly kind: "metadata";
  readonly entries: readonly JsonObject[];
}

/** Sets labels of the image. */
export interface LabelStep {
  readonly kind: "label";
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether a step needs a running container, or only adds files to the image or changes its configuration. */
export function stepExecutes(step: BuildStep): step is ExecutingStep {
  switch (step.kind) {
    case "feature":
    case "user-ids":
    case "packages":
    case "run":
      return true;
    case "copy":
    case "context":
    case "env":
    case "config":
    case "metadata":
    case "label":
      return false;
  }
}

/** Whether a step makes a layer, as root, rather than change the configuration alone. */
export function stepMakesLayer(step: BuildStep): boolean {
  return stepExecutes(step) || step.kind === "copy" || step.kind === "context";
}

/** The plan's Feature steps, in install order. */
export function featureSteps(plan: BuildPlan): readonly FeatureStep[] {
  return plan.steps.filter((step) => step.kind === "feature");
}

/** The plan's copy steps, in order. */
export function copySteps(plan: BuildPlan): readonly CopyStep[] {
  return plan.steps.filter((step) => step.kind === "copy");
}
