import type { ProfileDockerfile } from "../dockerfile/render-profile.ts";
import type { UserError } from "../errors.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import type { BuildVariant } from "../profile/build-variant.ts";
import type { RepoProfile } from "../profile/repo-profile.ts";
import type { ViewKind } from "../runtime/build-view.ts";
import type { GateContainer } from "../runtime/gate-command.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { BaseFacts } from "./resolve-base.ts";

/** All that profiles ask of what builds, keeps and runs their images; what fails throws UserError, a signal Interrupted. */
export interface ProfileEngine {
  /** The facts of a base image: as the engine has it, else as its registry does. */
  readonly findBase: (reference: string) => Promise<BaseFacts>;
  /** Builds one variant under its tag, labelled with its plan's hash; a build that fails is an answer. */
  readonly build: (attempt: BuildAttempt) => Promise<AttemptEnd>;
  /** Writes the image `tag`, under that name, to a docker-archive at `path`. */
  readonly saveArchive: (tag: string, path: string) => Promise<void>;
  /** Loads a docker-archive of one image and names that image as the first of `names`, of which the archive has one. */
  readonly loadArchive: (path: string, names: readonly string[]) => Promise<StoredImage | undefined>;
  /** Runs a gate in a container of its own; however it ends, nothing of the container is left. */
  readonly runGate: (gate: GateContainer, limits: GateLimits) => Promise<GateEnd>;
}

/** An image that an engine has, as far as it is asked whether it is the one that is wanted. */
export type StoredImage = Pick<LocalImage, "labels">;

/** An engine that answered, and those of the images it was asked about that it has. */
export interface OpenedProfileEngine {
  readonly engine: ProfileEngine;
  readonly images: ReadonlyMap<string, StoredImage>;
}

/** A variant of a profile's image, planned. */
export interface PlannedVariant {
  readonly variant: BuildVariant;
  readonly dockerfile: ProfileDockerfile;
  readonly plan: BuildPlan;
  readonly planHash: string;
}

/** One attempt at a profile's image. */
export interface BuildAttempt {
  readonly planned: PlannedVariant;
  readonly tag: string;
  /** Whether the engine has an image of that name already, whose layers may serve. */
  readonly hasPrevious: boolean;
  /** The build's context, and what of it is not sent. */
  readonly repository: string;
  readonly ignore: string;
  readonly base: BaseFacts;
  readonly language: RepoProfile["language"];
  /** Tells what is kept of this profile's downloads apart from others'. */
  readonly cacheId: string;
  readonly noCache: boolean;
  readonly view: ViewKind;
  /** Takes all that the builder prints. */
  readonly log: (text: string) => void;
}

/** How an attempt ended: in the image, or with all that the builder said and the error that tells of it. */
export type AttemptEnd =
  | { readonly kind: "built" }
  | { readonly kind: "failed"; readonly output: string; readonly error: UserError };

export interface GateLimits {
  readonly timeoutMilliseconds: number;
  readonly onOutput: (text: string) => void;
}

/** How a gate ended: by itself, or because its time was up. */
export type GateEnd = { readonly kind: "ended"; readonly exitCode: number } | { readonly kind: "timed_out" };
