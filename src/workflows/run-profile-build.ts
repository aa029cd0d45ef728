import { cp, lstat, mkdir, rmdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { createDockerignore } from "../dockerfile/dockerignore.ts";
import { type InstallInstruction, withInstallCaches } from "../dockerfile/render-profile.ts";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import { type Command, describeCommand } from "../plan/command.ts";
import { type BuildEnd, explainBuildFailure } from "../runtime/build-failure.ts";
import { layOutBuild, type SourceFiles } from "../runtime/build-layout.ts";
import { failedStep } from "../runtime/build-steps.ts";
import { createBuildView } from "../runtime/build-view.ts";
import type { Builder } from "../runtime/builder.ts";
import { guardedCommand } from "../runtime/guarded-command.ts";
import { cacheDirectory } from "../store/directories.ts";
import type { AttemptEnd, BuildAttempt, PlannedVariant } from "./profile-engine.ts";
import type { BaseFacts } from "./resolve-base.ts";
import type { Tools } from "./tools.ts";

/** With what a variant is built. */
export interface ClientBuilder {
  readonly builder: Builder;
  readonly enginePath: string;
}

/** The last part is what an error is about; the retry rules look at it too. */
const TAIL_CHARACTERS = 1024 * 1024;

/** Builds one variant of a profile's image with an engine's client. */
export async function runProfileBuild(
  attempt: BuildAttempt,
  { builder, enginePath }: ClientBuilder,
  tools: Tools,
): Promise<AttemptEnd> {
  const { planned } = attempt;
  const plan = asRun(attempt, builder);
  tellDifferences(plan, attempt);
  return withTemporaryDirectory(join(cacheDirectory(tools), "builds"), async (directory) => {
    const layout = layOutBuild(
      {
        plan,
        planHash: planned.planHash,
        builder,
        enginePath,
        // There are no Features to deliver.
        delivery: { kind: "main-context", mount: false },
        sourceFiles: await sourceFiles(attempt, { builder, directory }),
        wishes: wishesOf(attempt, builder),
      },
      directory,
    );
    for (const path of layout.emptyDirectories) await mkdir(path, { recursive: true });
    for (const { path, text } of layout.files) await writeFile(path, text);
    for (const command of layout.commands) {
      const end = await runCommand(command, attempt, tools);
      if (end.kind === "failed") return end;
    }
    return { kind: "built" };
  });
}

/** The plan as it is run: what was downloaded before changes nothing of what is built, and so not its hash. */
function asRun({ planned, base, language, cacheId, noCache }: BuildAttempt, builder: Builder): BuildPlan {
  const { plan, dockerfile } = planned;
  if (plan.source.kind !== "dockerfile") return plan;
  // The classic builder leaves the container of a command that failed.
  if (builder.kind === "classic") return { ...plan, source: { ...plan.source, options: ["--force-rm"] } };
  const canMount = builder.kind === "buildx" || (builder.kind === "podman" && builder.mounts);
  if (!canMount || noCache) return plan;
  const caches = { ...dockerfile, language, cacheId, aptCacheId: aptCacheId(base, planned) };
  const text = withInstallCaches(plan.source.text, caches);
  return { ...plan, source: { ...plan.source, text } };
}

/**
 * What apt keeps is shared by all that start from the same image: nothing but that image's own apt has written it, as no repository is
 * there yet. What nobody signed stays apart.
 */
function aptCacheId({ digest }: BaseFacts, { variant }: PlannedVariant): string {
  return `cooper-apt-${digest.replace(/^sha256:/, "")}${variant.apt === "archive_unauthenticated" ? "-unauthenticated" : ""}`;
}

/** The log has what was run, where it is not what the Dockerfile beside it says. */
function tellDifferences({ source }: BuildPlan, { planned, log }: BuildAttempt): void {
  const written = planned.plan.source;
  if (source.kind !== "dockerfile" || written.kind !== "dockerfile") return;
  const known = new Set(written.text.split("\n"));
  for (const line of source.text.split("\n").filter((each) => !known.has(each))) log(`==> with caches: ${line}\n`);
}

function wishesOf({ tag, hasPrevious, base, noCache }: BuildAttempt, builder: Builder) {
  // Podman looks at what it has by itself, and takes no name of a single image.
  const previous = !hasPrevious || builder.kind === "podman" ? [] : [tag];
  return {
    tags: [tag],
    platform: undefined,
    delivery: { kind: "load" as const },
    cacheFrom: previous,
    cacheTo: undefined,
    noCache,
    pull: base.pulled,
    secrets: [],
    ssh: [],
    builder: undefined,
  };
}

async function sourceFiles(
  { repository, ignore }: BuildAttempt,
  { builder, directory }: { readonly builder: Builder; readonly directory: string },
): Promise<SourceFiles> {
  const plain = { context: repository, dockerfileIgnore: ignore, namedContexts: {} };
  if (builder.kind !== "classic") return plain;
  // The classic builder reads no other ignore file than the repository's own: it gets a folder with nothing else in it.
  const context = join(directory, "context");
  await copyFiltered({ from: repository, to: context, ignore });
  return { ...plain, context, dockerfileIgnore: undefined };
}

async function copyFiltered({ from, to, ignore }: { from: string; to: string; ignore: string }): Promise<void> {
  const { isIgnored, mayContainReincluded } = createDockerignore(ignore);
  const ignoredFolders: string[] = [];
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    preserveTimestamps: true,
    filter: async (source) => {
      const path = relative(from, source);
      if (path === "") return true;
      const found = await lstat(source);
      if (isIgnored(path)) {
        const mayHold = found.isDirectory() && mayContainReincluded(path);
        if (mayHold) ignoredFolders.push(join(to, path));
        return mayHold;
      }
      return found.isFile() || found.isDirectory() || found.isSymbolicLink();
    },
  });
  // Those that hold nothing after all are not sent either; deepest first, as the walk met them last.
  for (const folder of ignoredFolders.reverse()) await rmdir(folder).catch(() => undefined);
}

async function runCommand(command: Command, attempt: BuildAttempt, tools: Tools): Promise<AttemptEnd> {
  const { planned, log } = attempt;
  const view = createBuildView(attempt.view, [], {
    terminal: tools.terminal,
    log: tools.log,
    now: () => performance.now(),
  });
  log(`==> ${planned.variant.name}: ${describeCommand(command)}\n`);
  let output = "";
  const onOutput = (text: string) => {
    output = (output + text).slice(-TAIL_CHARACTERS);
    log(text);
    view.onOutput(text);
  };
  try {
    const { exitCode } = await tools.runProcess(guardedCommand(command), { onOutput, lifeline: true });
    if (exitCode === 0) return { kind: "built" };
    const error = explainProfileFailure(command, { exitCode, output, steps: view.end() }, planned.dockerfile.installs);
    return { kind: "failed", output, error };
  } finally {
    view.end();
  }
}

/** Which install command failed, with which exit code and what it said last; of any other step what `explainBuildFailure` says. */
export function explainProfileFailure(
  command: Command,
  end: BuildEnd,
  installs: readonly InstallInstruction[],
): UserError {
  const plain = explainBuildFailure(command, end);
  const step = failedStep(end.steps);
  const title = collapse((step?.title ?? "").replaceAll(/ --mount=type=cache\S*/g, ""));
  const install = installs.find(({ instruction }) => title.endsWith(collapse(instruction)));
  if (step === undefined || install === undefined) return plain;
  const status = [...end.output.matchAll(/exit (?:code|status):? (\d+)|non-zero code: (\d+)/g)].at(-1);
  const code = status?.[1] ?? status?.[2];
  const tail = step.tail
    .filter(
      (line) =>
        !/^(?:Error: building at STEP |The command '\/bin\/sh -c | *---> Removed intermediate container )/.test(line),
    )
    .map((line) => `\n  ${line}`)
    .join("");
  return new UserError(
    `install_cmds[${install.index}] failed${code === undefined ? "" : ` with exit code ${code}`}: ${install.command}${tail}`,
    { ...(plain.hint === undefined ? {} : { hint: plain.hint }), cause: plain },
  );
}

function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
