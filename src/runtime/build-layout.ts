import { join } from "node:path";
import { INSTALL_SCRIPT, OPTIONS_FILE, renderInstallScript, renderOptionsFile } from "../dockerfile/install-script.ts";
import {
  CONTENT_SOURCE,
  type ContentDelivery,
  renderContentDockerfile,
  renderDockerfile,
  TARGET_STAGE,
} from "../dockerfile/render.ts";
import { type BuildPlan, featureSteps } from "../plan/build-plan.ts";
import type { Command } from "../plan/command.ts";
import { type BuildSpec, buildCommands, commandsAfterBuild, podmanFile } from "./build-commands.ts";
import type { Builder } from "./builder.ts";

/** Where a build finds the user's own files; null for a plan whose source is an image. */
export interface SourceFiles {
  readonly context: string;
  /** Text of an ignore file beside the Dockerfile, which counts instead of the context's. */
  readonly dockerfileIgnore: string | undefined;
  /** Values of `--build-context` by the names that the user's Dockerfile knows them by. */
  readonly namedContexts: Readonly<Record<string, string>>;
}

/** How a build is asked for, beyond its plan. */
export type BuildWishes = Pick<
  BuildSpec,
  "tags" | "platform" | "delivery" | "cacheFrom" | "cacheTo" | "noCache" | "pull" | "secrets" | "ssh" | "builder"
>;

export interface LayoutInput {
  readonly plan: BuildPlan;
  readonly planHash: string;
  readonly builder: Builder;
  readonly enginePath: string;
  readonly delivery: ContentDelivery;
  readonly sourceFiles: SourceFiles | null;
  readonly wishes: BuildWishes;
}

/** A build as data: what to write where under its directory, then what to run. */
export interface BuildLayout {
  readonly files: readonly { readonly path: string; readonly text: string; readonly executable: boolean }[];
  /** Features to copy, by their folder's name, to absolute paths. */
  readonly featureFolders: readonly { readonly folder: string; readonly path: string }[];
  readonly emptyDirectories: readonly string[];
  /** What must run before the build, the build, and what delivers it. */
  readonly commands: readonly Command[];
  /** Of `commands`, the one that builds the image. */
  readonly build: Command;
  /** What to run afterwards, whatever happened. */
  readonly cleanup: readonly Command[];
  readonly dockerfile: string;
}

/** Lays a build out under `directory`, an absolute path that exists only while it runs. */
export function layOutBuild(input: LayoutInput, directory: string): BuildLayout {
  const { plan, delivery } = input;
  const features = featureSteps(plan);
  const content = join(directory, "content");
  const dockerfilePath = join(directory, "Dockerfile");
  const dockerfile = renderDockerfile(plan, input.planHash, delivery);
  const ignoreText = input.sourceFiles?.dockerfileIgnore;
  const contentImage = features.length > 0 && delivery.kind === "content-image" ? delivery.image : undefined;
  const contentDockerfile = join(directory, "Dockerfile.content");
  const ignorePath = `${dockerfilePath}.dockerignore`;
  const spec: BuildSpec = {
    ...input.wishes,
    dockerfile: dockerfilePath,
    context: contextOf(input, directory),
    target: TARGET_STAGE,
    namedContexts: {
      ...input.sourceFiles?.namedContexts,
      ...(features.length > 0 && delivery.kind === "named-context" ? { [CONTENT_SOURCE]: content } : {}),
    },
    buildArgs: plan.source.kind === "dockerfile" ? plan.source.buildArgs : {},
    options: plan.source.kind === "dockerfile" ? plan.source.options : [],
    ignoreFile: ignoreText === undefined ? undefined : ignorePath,
  };
  const [build, ...deliver] = buildCommands(input.enginePath, input.builder, spec);
  const prepare =
    contentImage === undefined
      ? []
      : [contentCommand(input, { image: contentImage, content, dockerfile: contentDockerfile })];
  return {
    dockerfile,
    files: [
      { path: dockerfilePath, text: dockerfile, executable: false },
      ...(ignoreText === undefined ? [] : [{ path: ignorePath, text: ignoreText, executable: false }]),
      ...(contentImage === undefined
        ? []
        : [{ path: contentDockerfile, text: renderContentDockerfile(), executable: false }]),
      ...features.flatMap((step) => [
        { path: join(content, step.folder, OPTIONS_FILE), text: renderOptionsFile(step), executable: false },
        {
          path: join(content, step.folder, INSTALL_SCRIPT),
          text: renderInstallScript(step, plan.users),
          executable: true,
        },
      ]),
    ],
    featureFolders: features.map((step) => ({ folder: step.folder, path: join(content, step.folder) })),
    emptyDirectories: [emptyContext(directory), content],
    commands: [...prepare, build, ...deliver],
    build,
    cleanup: [
      ...commandsAfterBuild(input.enginePath, input.builder, spec),
      ...(contentImage === undefined
        ? []
        : [{ file: input.enginePath, args: ["image", "rm", "--force", contentImage], env: {} }]),
    ],
  };
}

function contextOf({ delivery, sourceFiles }: LayoutInput, directory: string): string {
  if (sourceFiles !== null) return sourceFiles.context;
  return delivery.kind === "main-context" ? join(directory, "content") : emptyContext(directory);
}

function emptyContext(directory: string): string {
  return join(directory, "empty");
}

function contentCommand(input: LayoutInput, names: { image: string; content: string; dockerfile: string }): Command {
  const args = (dockerfile: string) => ["-f", dockerfile, "-t", names.image, names.content];
  const { enginePath: file, builder } = input;
  switch (builder.kind) {
    case "buildx":
      return { file, args: ["buildx", "build", "--progress=plain", "--load", ...args(names.dockerfile)], env: {} };
    case "classic":
      return { file, args: ["build", ...args(names.dockerfile)], env: { DOCKER_BUILDKIT: "0" } };
    case "podman":
      return { file, args: ["build", ...args(podmanFile(names.dockerfile))], env: {} };
  }
}
