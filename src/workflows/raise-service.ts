import { rm } from "node:fs/promises";
import { renderImageOverride, renderOverrideFile } from "../compose/override-file.ts";
import { planServiceContainer } from "../compose/plan-service.ts";
import { type StartedServices, startedServices } from "../compose/started-services.ts";
import { UserError } from "../errors.ts";
import { type Command, describeCommand } from "../plan/command.ts";
import { composeBuild, composeUp, type ProjectCall } from "../runtime/compose-commands.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { ComposeProject } from "./compose-project.ts";
import { buildForContainer, type CreateRequest, endedAtOnce } from "./create-container.ts";
import { containersLabelled } from "./find-container.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { keptOverrideFiles, writeOverrideFile } from "./override-files.ts";
import { prepareBuild } from "./prepare-build.ts";
import type { Tools } from "./tools.ts";

/** A service that is to run, and how its container is wanted. */
export interface ServiceToRaise {
  readonly request: CreateRequest;
  readonly configuration: LoadedConfiguration;
  readonly project: ComposeProject;
}

/** The container of a project's service, running or not; not one of `compose run`. */
export async function findServiceContainer(project: ComposeProject): Promise<ContainerDetails | undefined> {
  const found = await containersLabelled(project.engine, {
    "com.docker.compose.project": project.name,
    "com.docker.compose.service": project.serviceName,
  });
  return found.find(({ labels }) => labels["com.docker.compose.oneoff"] !== "True");
}

/** Builds what a service's container needs, and has Compose make it and the services that run with it. */
export async function createServiceContainer(service: ServiceToRaise, tools: Tools): Promise<ContainerDetails> {
  const { request, configuration, project } = service;
  const prepared = await prepareBuild(request.build, { ...configuration, compose: project }, tools);
  const facts = await buildForContainer(request, { configuration, prepared }, tools);
  const spec = planServiceContainer({ ...facts, service: project.service });
  const image = project.source.kind === "image" ? project.source.reference : undefined;
  const text = renderOverrideFile({ name: project.serviceName, image }, spec);
  const file = await writeOverrideFile(text, request.build.userDataFolder, tools);
  tools.log.debug(`Docker Compose override file ${file}:\n${text}`);
  try {
    const raised = await raise(service, { overrideFiles: [file], exists: false }, tools);
    return raised;
  } catch (error) {
    // A container that is there although it failed was made with the file.
    if ((await findServiceContainer(project)) === undefined) await rm(file, { force: true });
    throw error;
  }
}

/** Starts a stopped container with the files it was made with; without them, with what keeps its image from being fetched or built. */
export async function startServiceContainer(
  existing: ContainerDetails,
  service: ServiceToRaise,
  tools: Tools,
): Promise<ContainerDetails> {
  const kept = keptOverrideFiles(existing);
  if (kept !== undefined) return raise(service, { overrideFiles: kept, exists: true }, tools);
  const text = renderImageOverride(service.project.serviceName, existing.image.name);
  const file = await writeOverrideFile(text, service.request.build.userDataFolder, tools);
  try {
    return await raise(service, { overrideFiles: [file], exists: true }, tools);
  } finally {
    await rm(file, { force: true });
  }
}

async function raise(
  { request, configuration, project }: ServiceToRaise,
  how: { readonly overrideFiles: readonly string[]; readonly exists: boolean },
  tools: Tools,
): Promise<ContainerDetails> {
  const services = startedServices(project.model, {
    service: project.serviceName,
    runServices: configuration.config.runServices ?? [],
    profiles: tools.environment["COMPOSE_PROFILES"],
  });
  const call: ProjectCall = { ...project, projectName: project.name, overrideFiles: how.overrideFiles };
  if (!how.exists) await buildOthers({ call, services, request, project }, tools);
  const { named, profiles } = services;
  const command = composeUp(project.client, { ...call, profiles, noRecreate: how.exists, services: named });
  await runCompose({ project, command, failed: "An error occurred starting Docker Compose up." }, tools);
  const details = await findServiceContainer(project);
  if (details?.status === "running") return details;
  throw await endedAtOnce(details, project.engine);
}

interface OthersToBuild {
  readonly call: ProjectCall;
  readonly services: StartedServices;
  readonly request: CreateRequest;
  readonly project: ComposeProject;
}

/** Images of services that run beside the dev container are Compose's to build, anew if their files changed. */
async function buildOthers({ call, services, request, project }: OthersToBuild, tools: Tools): Promise<void> {
  const others = services.all.filter((name) => name !== project.serviceName && project.model.services[name]?.build);
  if (others.length === 0) return;
  const { noCache, buildkit } = request.build;
  const build = composeBuild(project.client, { ...call, noCache, services: others });
  const env = { ...build.env, ...(buildkit === "never" ? { DOCKER_BUILDKIT: "0" } : {}) };
  const failed = "An error occurred building the Docker Compose images.";
  await runCompose({ project, command: { ...build, env }, failed }, tools);
}

async function runCompose(
  { project, command, failed }: { project: ComposeProject; command: Command; failed: string },
  tools: Tools,
): Promise<void> {
  const stop = tools.log.start(`Run: ${describeCommand(command)}`);
  try {
    await project.engine.run(command, { onOutput: (text) => tools.log.raw(text) });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new UserError(error.message, { description: failed, cause: error, ...hint });
  }
  stop();
}
