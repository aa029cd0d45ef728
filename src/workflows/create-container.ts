import { devcontainerId, type IdLabels } from "../devcontainer/identity.ts";
import { type MergedMetadata, mergeMetadata } from "../devcontainer/merge.ts";
import { type MetadataEntry, readMetadataLabel, substituteEntry } from "../devcontainer/metadata-label.ts";
import type { Mount } from "../devcontainer/schema.ts";
import { UserError } from "../errors.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import { asksForGpus, decideGpus, type GpuAvailability } from "../plan/gpus.ts";
import {
  type ContainerHost,
  type ContainerImage,
  type ContainerPlanInput,
  planContainer,
} from "../plan/plan-container.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { engineKindOf } from "../runtime/local-image.ts";
import { remoteEngineHost } from "../runtime/remote-engine.ts";
import { runCommand } from "../runtime/run-command.ts";
import { type BuildShow, realizeBuild, refuseContradictions } from "./build-image.ts";
import type { BuildRequest } from "./build-request.ts";
import { containersLabelled, inspectContainers } from "./find-container.ts";
import { findSshAgent } from "./find-ssh-agent.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { type PreparedBuild, prepareBuild } from "./prepare-build.ts";
import type { Tools } from "./tools.ts";

/** What a new container is made from, beyond its configuration. */
export interface CreateRequest {
  readonly build: BuildRequest;
  readonly show: BuildShow;
  readonly idLabels: IdLabels;
  readonly mounts: readonly Mount[];
  readonly gpuAvailability: GpuAvailability;
  /** Whether the container gets the user's SSH agent. */
  readonly sshAgent: boolean;
}

/** Builds the image that the configuration wants, if it wants one, makes a container of it and starts it. */
export async function createContainer(
  request: CreateRequest,
  configuration: LoadedConfiguration,
  tools: Tools,
): Promise<ContainerDetails> {
  refuseContradictions(request.build, configuration);
  const prepared = await prepareBuild(request.build, configuration, tools);
  const { engine } = prepared;
  refuseRemoteBind(configuration, engine, tools);
  const facts = await buildForContainer(request, { configuration, prepared }, tools);
  const { config, workspace } = configuration;
  const command = runCommand(engine.path, planContainer({ ...facts, config, workspace }));
  try {
    return await startContainer(command, engine, tools);
  } catch (error) {
    await removeUnstarted(request.idLabels, engine);
    throw error;
  }
}

/** A container that could not be started is still there, and would be taken for the workspace's. */
async function removeUnstarted(idLabels: IdLabels, engine: Engine): Promise<void> {
  const left = (await containersLabelled(engine, idLabels)).filter(({ status }) => status === "created");
  for (const { id } of left) await engine.ask(["rm", "-f", id]);
}

/** What a container is planned from, but for what only one without Compose has. */
export type ContainerFacts = Omit<ContainerPlanInput, "config" | "workspace">;

/** Makes the image that was decided on, where one has to be made, and finds out all else that a container is planned from. */
export async function buildForContainer(
  request: CreateRequest,
  decided: { readonly configuration: LoadedConfiguration; readonly prepared: PreparedBuild },
  tools: Tools,
): Promise<ContainerFacts> {
  const { configuration, prepared } = decided;
  const { engine } = prepared;
  const raw = metadataOf(prepared.plan);
  const host = await containerHost(prepared, tools);
  const ssh = await findSshAgent(request.sshAgent, { engine, kind: host.kind }, tools);
  const ofAll = mergedFor(raw, request.idLabels, configuration);
  const merged = { ...ofAll, containerEnv: { ...ofAll.containerEnv, ...ssh.env } };
  const builds = needsBuild(prepared.plan);
  if (builds) await realizeBuild({ prepared, show: request.show }, tools);
  return {
    image: await containerImage(prepared, { builds, merged }),
    merged,
    idLabels: request.idLabels,
    mounts: [...request.mounts, ...ssh.mounts],
    gpus: await findGpus(request.gpuAvailability, configuration, { engine, tools }),
    metadata: builds ? undefined : raw,
    host,
  };
}

async function startContainer(
  command: ReturnType<typeof runCommand>,
  engine: Engine,
  tools: Tools,
): Promise<ContainerDetails> {
  const stop = tools.log.start(`Run: ${command.file} ${command.args.join(" ")}`);
  let printed = "";
  await engine.run(command, {
    onOutput: (text, stream) => {
      if (stream === "stdout") printed += text;
      else tools.log.raw(text);
    },
  });
  stop();
  const id = printed.trim().split("\n").at(-1) ?? "";
  const [details] = await inspectContainers(engine, [id]);
  if (details?.status === "running") return details;
  throw await endedAtOnce(details, engine);
}

/** The error for a container that does not run although it was just started, with the end of what it printed. */
export async function endedAtOnce(details: ContainerDetails | undefined, engine: Engine): Promise<UserError> {
  const logs = details === undefined ? undefined : await engine.ask(["logs", "--tail", "20", details.id]);
  const said = logs === undefined ? "" : `\n${logs.stdout}${logs.stderr}`.trimEnd();
  return new UserError(
    `The container ended as soon as it had started${details === undefined ? "" : ` (exit code ${details.exitCode})`}.${said}`,
    {
      hint: "Look at the image's entrypoint and at overrideCommand and runArgs in devcontainer.json.",
    },
  );
}

/** Whether an image has to be made: anything but metadata, which a container can carry itself. */
function needsBuild(plan: BuildPlan): boolean {
  return plan.source.kind !== "image" || plan.steps.some((step) => step.kind !== "metadata");
}

/** The plan's metadata entries, as written. */
export function metadataOf(plan: BuildPlan): readonly MetadataEntry[] {
  const entries = plan.steps.flatMap((step) => (step.kind === "metadata" ? step.entries : []));
  return readMetadataLabel(JSON.stringify(entries)).entries;
}

/** What entries say together about a container that does not exist yet; with no labels for it, its id stays a variable. */
export function mergedFor(
  raw: readonly MetadataEntry[],
  idLabels: IdLabels | undefined,
  configuration: LoadedConfiguration,
): MergedMetadata {
  const identity = idLabels === undefined ? {} : { devcontainerId: devcontainerId(idLabels) };
  const context = { ...configuration.substitution, ...identity };
  return mergeMetadata(raw.map((entry) => substituteEntry(entry, context)));
}

async function containerImage(
  { compose, plan, tags, source, engine }: PreparedBuild,
  { builds, merged }: { builds: boolean; merged: MergedMetadata },
): Promise<ContainerImage> {
  const [tag] = tags;
  if (!builds || tag === undefined) {
    const { reference, user, entrypoint, command } = source.base;
    return { reference, user, entrypoint, command };
  }
  // What an image runs by itself matters only where it is to be run.
  const runs = compose === undefined ? merged.overrideCommand === false : merged.overrideCommand !== true;
  const image = runs ? (await engine.inspectImages([tag])).get(tag) : undefined;
  return { reference: tag, user: plan.users.image, entrypoint: image?.entrypoint ?? [], command: image?.command ?? [] };
}

async function containerHost({ engine, source }: PreparedBuild, tools: Tools): Promise<ContainerHost> {
  const [seen] = source.images.values();
  const kind =
    engineKindOf(seen) ?? ((await engine.ask(["-v"])).stdout.startsWith("Docker version") ? "docker" : "podman");
  if (kind === "docker") return { kind };
  const linux = process.platform === "linux";
  const { stdout } = await engine.ask(["info", "-f", "{{.Host.Security.Rootless}}"]);
  tools.log.debug(`Podman is ${stdout.trim() === "true" ? "rootless" : "run by root"}.`);
  return { kind, linux, rootless: stdout.trim() === "true" };
}

async function findGpus(
  availability: GpuAvailability,
  { config }: LoadedConfiguration,
  { engine, tools }: { engine: Engine; tools: Tools },
): Promise<boolean> {
  const requirement = config.hostRequirements?.gpu;
  const runtimes = asksForGpus(requirement, availability)
    ? (await engine.ask(["info", "-f", "{{.Runtimes.nvidia}}"])).stdout
    : undefined;
  const { gpus, missing } = decideGpus(requirement, { availability, runtimes });
  if (missing !== undefined) tools.log.warning(missing);
  return gpus;
}

/** A remote engine cannot see the folders of this host: said before anything is made. */
function refuseRemoteBind({ workspace }: LoadedConfiguration, engine: Engine, tools: Tools): void {
  const mount = workspace.workspaceMount ?? "";
  const remote = remoteEngineHost(tools.environment);
  if (remote === undefined || !/(^|,)type=bind(,|$)/.test(mount)) return;
  throw new UserError(
    `The engine behind ${engine.path} is on another machine (${remote}), where ${mount} means nothing.`,
    {
      hint: 'Use a local engine, or a volume: set "workspaceMount" to "type=volume,source=NAME,target=/workspaces/…" and "workspaceFolder" in devcontainer.json.',
    },
  );
}
