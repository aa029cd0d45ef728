import { existsSync } from "node:fs";
import { UnknownServiceError } from "../compose/find-service.ts";
import { type IdLabels, localFolderLabel, workspaceIdLabels } from "../devcontainer/identity.ts";
import { UserError } from "../errors.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { readComposeProject } from "./compose-project.ts";
import type { CreateRequest } from "./create-container.ts";
import { labelsThatCount } from "./find-container.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import { removeOverrideFiles } from "./override-files.ts";
import {
  createServiceContainer,
  findServiceContainer,
  type ServiceToRaise,
  startServiceContainer,
} from "./raise-service.ts";
import { forgetContainer } from "./session-cache.ts";
import type { Tools } from "./tools.ts";

/** How a Compose service's container is wanted up; `idLabels` is empty where none are given. */
export interface ComposeUpRequest extends CreateRequest {
  readonly removeExisting: boolean;
  readonly expectExisting: boolean;
}

/** The service's container, running. */
export interface ComposeContainer {
  readonly engine: Engine;
  readonly details: ContainerDetails;
  /** The labels that its identity is made of. */
  readonly idLabels: IdLabels;
  readonly composeProjectName: string;
}

/**
 * Makes or starts the container of a Compose configuration, and the services that run with it. For one that runs, nothing is run;
 * for one that is stopped, nothing is built.
 */
export async function upCompose(
  request: ComposeUpRequest,
  configuration: LoadedConfiguration,
  tools: Tools,
): Promise<ComposeContainer> {
  const project = await readComposeProject(request.build, configuration, tools).catch(describeForUp);
  const { engine, name: composeProjectName } = project;
  const labels = workspaceIdLabels({
    workspaceFolder: configuration.workspaceFolder,
    configFile: configuration.configPath,
    platform: process.platform,
  });
  const given = Object.keys(request.idLabels).length > 0;
  const service = {
    request: { ...request, idLabels: given ? request.idLabels : labels.current },
    configuration,
    project,
  };
  const existing = await findServiceContainer(project);
  if (existing === undefined || request.removeExisting) {
    if (existing !== undefined) await removeExisting(existing, service, tools);
    else if (request.expectExisting) throw noExpected();
    const details = await createServiceContainer(service, tools);
    return { engine, details, idLabels: service.request.idLabels, composeProjectName };
  }
  warnOfOtherWorkspace(existing, service, tools);
  const details = existing.status === "running" ? existing : await startServiceContainer(existing, service, tools);
  const idLabels = given ? request.idLabels : labelsThatCount(details, labels);
  return { engine, details, idLabels, composeProjectName };
}

/** As in the reference CLI, `up` gives this failure a description of its own, and `build` does not. */
function describeForUp(error: unknown): never {
  if (!(error instanceof UnknownServiceError)) throw error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  throw new UserError(error.message, { description: error.message, cause: error, ...hint });
}

async function removeExisting(
  existing: ContainerDetails,
  { request, project }: ServiceToRaise,
  tools: Tools,
): Promise<void> {
  const { engine } = project;
  await engine.run({ file: engine.path, args: ["rm", "-f", existing.id], env: {} });
  await removeOverrideFiles([existing], request.build.userDataFolder, tools);
  forgetContainer(existing.id, tools);
}

/** One project is one container: two checkouts of a project with a name of its own would share it without knowing. */
function warnOfOtherWorkspace(
  existing: ContainerDetails,
  { configuration, project }: ServiceToRaise,
  tools: Tools,
): void {
  const folder = existing.labels[localFolderLabel];
  if (folder === undefined || folder === configuration.workspaceFolder || !existsSync(folder)) return;
  tools.log.warning(
    `The container of the Compose project ${project.name} was made for ${folder}, not for ${configuration.workspaceFolder}. Set COMPOSE_PROJECT_NAME to something else for a container of its own.`,
  );
}

function noExpected(): UserError {
  return new UserError("The expected container does not exist.", {
    hint: "Leave --expect-existing-container out to make one.",
  });
}
