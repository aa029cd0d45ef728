import { join } from "node:path";
import { CONTENT_SOURCE, type ContentDelivery, filesSource } from "../dockerfile/content-delivery.ts";
import { contentPath } from "../dockerfile/copy-lines.ts";
import { INSTALL_SCRIPT, OPTIONS_FILE, renderInstallScript, renderOptionsFile } from "../dockerfile/install-script.ts";
import { renderContentDockerfile, renderDockerfile, TARGET_STAGE } from "../dockerfile/render.ts";
import { type BuildPlan, type CopyStep, copySteps, featureSteps } from "../plan/build-plan.ts";
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
  /** The host's folder of each copy step that brings files, by the step's folder. */
  readonly copyFolders?: Readonly<Record<string, string>>;
  readonly wishes: BuildWishes;
}

/** A build as data: what to write where under its directory, then what to run. */
export interface BuildLayout {
  readonly files: readonly { readonly path: string; readonly text: string; readonly mode: number }[];
  /** Features to copy, by their folder's name, to absolute paths. */
  readonly featureFolders: readonly { readonly folder: string; readonly path: string }[];
  /** Files of the host that are to be linked, or else copied, to absolute paths. */
  readonly links: readonly { readonly from: string; readonly path: string }[];
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
  const copies = copySteps(plan);
  const hasContent = features.length > 0 || copies.length > 0;
  const content = join(directory, "content");
  const dockerfilePath = join(directory, "Dockerfile");
  const dockerfile = renderDockerfile(plan, input.planHash, delivery);
  const ignoreText = input.sourceFiles?.dockerfileIgnore;
  const contentImage = hasContent && delivery.kind === "content-image" ? delivery.image : undefined;
  const contentDockerfile = join(directory, "Dockerfile.content");
  const ignorePath = `${dockerfilePath}.dockerignore`;
  const spec: BuildSpec = {
    ...input.wishes,
    dockerfile: dockerfilePath,
    context: contextOf(input, directory),
    target: TARGET_STAGE,
    namedContexts: {
      ...input.sourceFiles?.namedContexts,
      ...(hasContent && delivery.kind === "named-context" ? { [CONTENT_SOURCE]: content } : {}),
      ...(delivery.kind === "named-context" ? namedFolders(copies, input) : {}),
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
      { path: dockerfilePath, text: dockerfile, mode: 0o644 },
      ...(ignoreText === undefined ? [] : [{ path: ignorePath, text: ignoreText, mode: 0o644 }]),
      ...(contentImage === undefined
        ? []
        : [{ path: contentDockerfile, text: renderContentDockerfile(), mode: 0o644 }]),
      ...features.flatMap((step) => [
        { path: join(content, step.folder, OPTIONS_FILE), text: renderOptionsFile(step), mode: 0o644 },
        {
          path: join(content, step.folder, INSTALL_SCRIPT),
          text: renderInstallScript(step, plan.users),
          mode: 0o755,
        },
      ]),
      ...copies.flatMap((step) => textFiles(step, content)),
    ],
    links: delivery.kind === "named-context" ? [] : copies.flatMap((step) => linkedFiles(step, { input, content })),
    featureFolders: features.map((step) => ({ folder: step.folder, path: join(content, step.folder) })),
    emptyDirectories: [emptyContext(directory), content, ...copies.flatMap((step) => emptyFolders(step, content))],
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

function namedFolders(copies: readonly CopyStep[], { copyFolders }: LayoutInput): Record<string, string> {
  const withFiles = copies.filter(({ entries }) => entries.some((entry) => entry.content.kind === "file"));
  return Object.fromEntries(withFiles.map((step) => [filesSource(step.folder), hostFolder(step, copyFolders)]));
}

function hostFolder(step: CopyStep, folders: LayoutInput["copyFolders"]): string {
  const folder = folders?.[step.folder];
  if (folder === undefined) throw new TypeError(`No folder of the host is known for the files of ${step.title}.`);
  return folder;
}

function textFiles(step: CopyStep, content: string): BuildLayout["files"] {
  return step.entries.flatMap((entry, index) =>
    entry.content.kind === "text"
      ? [{ path: join(content, contentPath(step, index)), text: entry.content.text, mode: entry.content.mode }]
      : [],
  );
}

function linkedFiles(
  step: CopyStep,
  { input, content }: { input: LayoutInput; content: string },
): BuildLayout["links"] {
  return step.entries.flatMap((entry, index) =>
    entry.content.kind === "file"
      ? [
          {
            from: join(hostFolder(step, input.copyFolders), entry.content.name),
            path: join(content, contentPath(step, index)),
          },
        ]
      : [],
  );
}

function emptyFolders(step: CopyStep, content: string): readonly string[] {
  return step.entries.flatMap((entry, index) =>
    entry.content.kind === "directory" ? [join(content, contentPath(step, index))] : [],
  );
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
