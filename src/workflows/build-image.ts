import { randomBytes } from "node:crypto";
import { chmod, cp, link, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { refuseExecution } from "../assembly/refuse-execution.ts";
import { stepCommand } from "../dockerfile/step-script.ts";
import { messageOf, UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import { parseImageReference } from "../oci/reference.ts";
import { featureSteps, stepExecutes } from "../plan/build-plan.ts";
import { type Command, describeCommand } from "../plan/command.ts";
import { type BuildDelivery, optionsThatNeedBuildkit } from "../runtime/build-commands.ts";
import { explainBuildFailure } from "../runtime/build-failure.ts";
import { type BuildLayout, layOutBuild } from "../runtime/build-layout.ts";
import { createBuildView, type ViewKind } from "../runtime/build-view.ts";
import { type Builder, detectBuilder } from "../runtime/builder.ts";
import { chooseDelivery } from "../runtime/choose-delivery.ts";
import { engineKindOf } from "../runtime/local-image.ts";
import { cacheDirectory } from "../store/directories.ts";
import { assemblePlan } from "./assemble-plan.ts";
import type { BuildRequest } from "./build-request.ts";
import { usesCompose } from "./compose-project.ts";
import { type LoadedConfiguration, loadConfiguration } from "./load-configuration.ts";
import { nativeSource } from "./native-source.ts";
import { type PreparedBuild, prepareBuild } from "./prepare-build.ts";
import { refuseForBackend } from "./refuse-for-backend.ts";
import { saveLockfile } from "./save-lockfile.ts";
import { refuseForCompose } from "./service-build.ts";
import { showNativeBuild } from "./show-native-build.ts";
import type { Tools } from "./tools.ts";

/** How a running build is shown. */
export interface BuildShow {
  readonly view: ViewKind;
}

const TAIL_CHARACTERS = 64 * 1024;

/** Builds the image of a workspace, unless the engine has it already. */
export async function buildImage(request: BuildRequest, show: BuildShow, tools: Tools): Promise<PreparedBuild> {
  const configuration = loadConfiguration(request, tools);
  refuseContradictions(request, configuration);
  const prepared = await prepareBuild(request, configuration, tools);
  await realizeBuild({ prepared, show }, tools);
  return prepared;
}

/** A build that was decided, and how it is shown. */
export interface DecidedBuild {
  readonly prepared: PreparedBuild;
  readonly show: BuildShow;
}

/** Makes the image that was decided on, unless the engine has it already. */
export async function realizeBuild({ prepared, show }: DecidedBuild, tools: Tools): Promise<void> {
  const { request } = prepared;
  refuseForBackend(prepared.engine.kind, request);
  // First, so that a context with the lockfile in it is the same for the first build and those that follow.
  await saveLockfile(prepared.features.lockfile);
  if (prepared.upToDate && mayReuse(request)) {
    tools.log.info(`Nothing changed: ${prepared.tags.join(", ")} is up to date.`);
    return;
  }
  if (request.backend === "assemble") {
    await assemblePlan(prepared, tools);
    return;
  }
  if (prepared.engine.kind === "native") {
    await showNativeBuild({ prepared, show }, tools);
    return;
  }
  const builder = await selectBuilder(prepared, tools);
  if (builder.kind === "classic" && prepared.source.files?.dockerfileIgnore !== undefined) {
    tools.log.warning(
      `The classic builder does not read the ignore file beside the Dockerfile: only .dockerignore in ${prepared.source.files.context} counts.`,
    );
  }
  await withTemporaryDirectory(await makeBuildsFolder(request, tools), async (directory) => {
    const layout = layOut({ prepared, builder }, directory);
    await writeLayout(layout, prepared);
    await runLayout(layout, { prepared, show }, tools);
  });
}

/** What a build would run, and the Dockerfile that it is run with, where there is one. */
export interface BuildDescription {
  readonly commands: readonly Command[];
  readonly dockerfile: string | undefined;
}

/** What `realizeBuild` would run; with cooper's own engine, what would run in its sandbox. */
export async function describeBuild(prepared: PreparedBuild, tools: Tools): Promise<BuildDescription> {
  const { engine, request, plan } = prepared;
  refuseUnbuildable(prepared);
  switch (engine.kind) {
    case "none":
      return { commands: [], dockerfile: undefined };
    case "native":
      return {
        commands: plan.steps.flatMap((step) => (stepExecutes(step) ? [stepCommand(step)] : [])),
        dockerfile: undefined,
      };
    case "client": {
      const builder = await selectBuilder(prepared, tools);
      const layout = layOut({ prepared, builder }, join(buildsFolder(request, tools), "build-XXXXXX"));
      return { commands: [...layout.commands, ...layout.cleanup], dockerfile: layout.dockerfile };
    }
  }
}

/** Throws UserError for a build that `realizeBuild` would refuse whatever is there already. */
export function refuseUnbuildable({ engine, request, plan }: PreparedBuild): void {
  refuseForBackend(engine.kind, request);
  switch (engine.kind) {
    case "none":
      refuseExecution(plan);
      return;
    case "native":
      nativeSource(plan);
      return;
    case "client":
      return;
  }
}

/** Throws UserError for options that cannot be had together, or not for this configuration. */
export function refuseContradictions(request: BuildRequest, configuration: LoadedConfiguration): void {
  if (request.push && request.output !== undefined) throw new UserError("--push true cannot be used with --output.");
  if (usesCompose(configuration)) refuseForCompose(request);
  const needed = neededOfBuildkit(request);
  if (request.buildkit === "never" && needed.length > 0) throw needsBuildkit(needed);
  if (request.push && request.imageNames.length === 0) {
    throw new UserError("--push needs to know where to push to.", {
      hint: "Name the image with --image-name registry.example/name:tag.",
    });
  }
  for (const name of request.imageNames) {
    const { digest } = parseImageReference(name);
    if (digest !== undefined)
      throw new UserError(`--image-name ${name}: an image that is to be built has no digest yet.`);
  }
}

function buildsFolder(request: BuildRequest, tools: Tools): string {
  return join(request.userDataFolder ?? cacheDirectory(tools), "builds");
}

async function makeBuildsFolder(request: BuildRequest, tools: Tools): Promise<string> {
  const folder = buildsFolder(request, tools);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new UserError(`Could not make the folder ${folder}, where builds are prepared: ${messageOf(cause)}.`, {
      hint: "Name a folder that can be written to with --user-data-folder or XDG_CACHE_HOME.",
      cause,
    });
  }
  return folder;
}

function mayReuse(request: BuildRequest): boolean {
  const leavesTheEngine = request.push || request.output !== undefined || request.cacheTo !== undefined;
  return !leavesTheEngine && !request.noCache && request.platform?.includes(",") !== true;
}

async function selectBuilder({ request, engine, source }: PreparedBuild, tools: Tools): Promise<Builder> {
  const named = (request.builder ?? tools.environment["BUILDX_BUILDER"] ?? "") !== "";
  const needed = neededOfBuildkit(request);
  const [seen] = source.images.values();
  const builder = await detectBuilder(engine, { buildkit: request.buildkit, named }, engineKindOf(seen));
  if (builder.kind === "classic" && needed.length > 0) throw needsBuildkit(needed);
  if (Object.keys(source.files?.namedContexts ?? {}).length > 0) refuseWithoutContexts(builder);
  return builder;
}

function refuseWithoutContexts(builder: Builder): void {
  if (builder.kind !== "classic" && builder.namedContexts) return;
  throw new UserError('"additional_contexts" of the Docker Compose service\'s build cannot be had with this builder.', {
    hint: "They need Docker 23 with buildx 0.8 and --buildkit auto, or Podman 4.2.",
  });
}

function neededOfBuildkit(request: BuildRequest): readonly string[] {
  return optionsThatNeedBuildkit({ ...request, delivery: deliveryOf(request) });
}

function needsBuildkit(options: readonly string[]): UserError {
  const onlyKnown = options.every((option) => option === "--platform" || option === "--push");
  return new UserError(`${onlyKnown ? "--platform or --push" : options.join(", ")} require BuildKit enabled.`, {
    hint: "Install the docker buildx plugin and leave --buildkit at auto, use Podman, or drop the option.",
  });
}

function deliveryOf(request: BuildRequest): BuildDelivery {
  if (request.push) return { kind: "push" };
  return request.output === undefined ? { kind: "load" } : { kind: "export", output: request.output };
}

function layOut(build: { prepared: PreparedBuild; builder: Builder }, directory: string): BuildLayout {
  const { prepared, builder } = build;
  const { request, plan, source } = prepared;
  const contentImage = `localhost/cooper/feature-content:${randomBytes(6).toString("hex")}`;
  return layOutBuild(
    {
      plan,
      planHash: prepared.planHash,
      builder,
      enginePath: prepared.engine.path,
      delivery: chooseDelivery(builder, plan, { contentImage, frontend: source.frontend }),
      sourceFiles: source.files,
      copyFolders: prepared.copyFolders,
      wishes: {
        tags: prepared.tags,
        platform: request.platform,
        delivery: deliveryOf(request),
        cacheFrom: [...request.cacheFrom, ...source.cacheFrom],
        cacheTo: request.cacheTo,
        noCache: request.noCache,
        pull: source.pullable,
        secrets: request.secrets,
        ssh: request.ssh,
        builder: request.builder,
      },
    },
    directory,
  );
}

async function writeLayout(layout: BuildLayout, { features }: PreparedBuild): Promise<void> {
  await Promise.all(layout.emptyDirectories.map((path) => mkdir(path, { recursive: true })));
  for (const { folder, path } of layout.featureFolders) {
    const feature = features.features.find(({ consecutiveId }) => consecutiveId === folder);
    if (feature === undefined) throw new TypeError(`No resolved Feature has the folder ${folder}.`);
    await cp(feature.contentFolder, path, { recursive: true, verbatimSymlinks: true });
  }
  for (const { from, path } of layout.links) {
    await mkdir(dirname(path), { recursive: true });
    await link(from, path).catch(() => cp(from, path));
  }
  for (const { path, text, mode } of layout.files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await chmod(path, mode);
  }
}

async function runLayout(
  layout: BuildLayout,
  run: { prepared: PreparedBuild; show: BuildShow },
  tools: Tools,
): Promise<void> {
  try {
    for (const command of layout.commands) {
      const stop = tools.log.start(`Run: ${describeCommand(command)}`);
      await runBuildCommand(command, run, tools);
      stop();
    }
  } finally {
    for (const command of layout.cleanup) await tools.runProcess(command, { regardless: true });
  }
}

async function runBuildCommand(
  command: BuildLayout["build"],
  { prepared, show }: { prepared: PreparedBuild; show: BuildShow },
  tools: Tools,
): Promise<void> {
  const features = featureSteps(prepared.plan);
  const view = createBuildView(show.view, features, {
    terminal: tools.terminal,
    log: tools.log,
    now: () => performance.now(),
  });
  let output = "";
  const onOutput = (text: string) => {
    output = (output + text).slice(-TAIL_CHARACTERS);
    view.onOutput(text);
  };
  try {
    const { exitCode } = await tools.runProcess(command, { onOutput });
    if (exitCode !== 0) throw explainBuildFailure(command, { exitCode, output, steps: view.end() });
  } finally {
    view.end();
  }
}
