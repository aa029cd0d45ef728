import { checkConfigName } from "../devcontainer/discover.ts";
import { devcontainerId, type IdLabels, workspaceIdLabels } from "../devcontainer/identity.ts";
import { mergedConfiguration } from "../devcontainer/merge.ts";
import { UserError } from "../errors.ts";
import { maskLog } from "../host/mask-log.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { configurationReport } from "./configuration-report.ts";
import { createContainer } from "./create-container.ts";
import { type EnteredContainer, enterContainer } from "./enter-container.ts";
import { type ContainerWish, findContainer, inspectContainers } from "./find-container.ts";
import { type LoadedConfiguration, loadConfiguration } from "./load-configuration.ts";
import { engineCandidates } from "./open-engine.ts";
import { readSecrets } from "./read-secrets.ts";
import { runInitializeCommand } from "./run-initialize-command.ts";
import { forgetContainer } from "./session-cache.ts";
import type { Tools } from "./tools.ts";
import { upCompose } from "./up-compose.ts";
import type { UpRequest } from "./up-request.ts";

/** A running container of a workspace, and how it was found or made. */
export interface RaisedContainer {
  readonly engine: Engine;
  readonly details: ContainerDetails;
  readonly idLabels: IdLabels;
  readonly composeProjectName: string | undefined;
}

/** What `up` came to: `report` has the members of the reference CLI's result. */
export interface BroughtUp {
  readonly report: JsonObject;
  readonly raised: RaisedContainer;
  readonly entered: EnteredContainer;
}

/** Makes or starts a workspace's container and runs its hooks. */
export async function bringUp(request: UpRequest, given: Tools): Promise<BroughtUp> {
  const secrets = readSecrets(request.run.secretsFile);
  const tools: Tools = { ...given, log: maskLog(given.log, Object.values(secrets.env)) };
  const { overrideConfigPath, mountFlags } = request;
  const configuration = loadConfiguration({ ...request.build, overrideConfigPath, mountFlags }, tools);
  checkConfigName(configuration.configPath);
  await runInitializeCommand(configuration, { hostCommands: request.run.hostCommands }, tools);
  const raised =
    configuration.config.dockerComposeFile === undefined
      ? await raiseContainer(request, configuration, tools)
      : await upCompose(request, configuration, tools);
  try {
    const entered = await enterContainer({ ...raised, configuration, run: request.run, secrets }, tools);
    return { report: describeResult({ request, configuration, raised, entered }), raised, entered };
  } catch (error) {
    throw error instanceof UserError ? withContainer(error, raised.details.id) : error;
  }
}

/** The reference CLI tells the container's id of a failure too, once there is one. */
function withContainer(error: UserError, containerId: string): UserError {
  return new UserError(error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.description === undefined ? {} : { description: error.description }),
    data: { ...error.data, containerId },
    cause: error,
  });
}

async function raiseContainer(
  request: UpRequest,
  configuration: LoadedConfiguration,
  tools: Tools,
): Promise<RaisedContainer> {
  const given = Object.keys(request.idLabels).length > 0;
  const { workspaceFolder, configPath } = configuration;
  const labels = workspaceIdLabels({ workspaceFolder, configFile: configPath, platform: process.platform });
  const wish: ContainerWish = given ? { kind: "labels", labels: request.idLabels } : { kind: "workspace", labels };
  const engines = engineCandidates(request.build.dockerPath, tools);
  const { engine, answer: found } = await reachEngine(engines, (candidate) => findContainer(candidate, wish));
  const existing = found.details;
  if (existing !== undefined && !request.removeExisting) {
    const details = existing.status === "running" ? existing : await startExisting(existing, engine);
    return { engine, details, idLabels: found.idLabels, composeProjectName: undefined };
  }
  if (existing !== undefined) {
    await engine.run({ file: engine.path, args: ["rm", "-f", existing.id], env: {} });
    forgetContainer(existing.id, tools);
  } else if (request.expectExisting) {
    throw new UserError("The expected container does not exist.", {
      hint: "Leave --expect-existing-container out to make one.",
    });
  }
  const idLabels = given ? request.idLabels : labels.current;
  const details = await createContainer({ ...request, idLabels }, configuration, tools);
  return { engine, details, idLabels, composeProjectName: undefined };
}

async function startExisting(existing: ContainerDetails, engine: Engine): Promise<ContainerDetails> {
  const verb = existing.status === "paused" ? "unpause" : "start";
  await engine.run({ file: engine.path, args: [verb, existing.id], env: {} });
  const [details] = await inspectContainers(engine, [existing.id]);
  if (details?.status === "running") return details;
  throw new UserError(`The container ${existing.name} did not stay up after it was started.`, {
    hint: `Look at what it printed with cooper logs, or make a new one with --remove-existing-container.`,
  });
}

interface UpParts {
  readonly request: UpRequest;
  readonly configuration: LoadedConfiguration;
  readonly raised: RaisedContainer;
  readonly entered: EnteredContainer;
}

function describeResult({ request, configuration, raised, entered }: UpParts): JsonObject {
  const { details, idLabels, composeProjectName } = raised;
  const known = { devcontainerId: devcontainerId(idLabels), env: details.env };
  const report = configurationReport(configuration, known, request.build.configPath !== undefined);
  const merged: unknown = mergedConfiguration(report, entered.merged);
  return {
    containerId: details.id,
    ...(composeProjectName === undefined ? {} : { composeProjectName }),
    remoteUser: entered.remoteUser,
    remoteWorkspaceFolder: configuration.workspace.workspaceFolder,
    ...(request.includeConfiguration ? { configuration: report } : {}),
    ...(request.includeMerged && isJsonObject(merged) ? { mergedConfiguration: merged } : {}),
  };
}
