import { devcontainerId } from "../devcontainer/identity.ts";
import { mergedConfiguration } from "../devcontainer/merge.ts";
import { UserError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { cacheDirectory } from "../store/directories.ts";
import type { BuildRequest } from "./build-request.ts";
import { configurationReport } from "./configuration-report.ts";
import { readContainerMetadata } from "./container-metadata.ts";
import { mergedFor, metadataOf } from "./create-container.ts";
import type { FoundContainer } from "./find-container.ts";
import { type ContainerPlace, findMeantContainer } from "./find-meant-container.ts";
import { type LoadedConfiguration, type MountFlags, tryLoadConfiguration } from "./load-configuration.ts";
import { prepareBuild } from "./prepare-build.ts";
import { reportFeatures } from "./report-features.ts";
import { type ConfiguredFeatures, resolveConfiguredFeatures } from "./resolve-configured-features.ts";
import type { Tools } from "./tools.ts";

/** What `read-configuration` is asked for. */
export interface ReadConfigurationRequest {
  readonly place: ContainerPlace;
  readonly build: BuildRequest;
  readonly overrideConfigPath: string | undefined;
  readonly mountFlags: MountFlags;
  readonly includeFeatures: boolean;
  readonly includeMerged: boolean;
}

/**
 * The configuration of a workspace or of an existing container, as the reference CLI's `read-configuration` reports it: with
 * `workspace`, and on request the Features and the merged configuration. Nothing is built, and no lockfile written.
 */
export async function reportConfiguration(request: ReadConfigurationRequest, tools: Tools): Promise<JsonObject> {
  const { place } = request;
  const selected = place.containerId !== undefined || place.idLabels.length > 0;
  const { overrideConfigPath, mountFlags } = request;
  const workspaceFolder = place.hasWorkspace ? place.workspaceFolder : undefined;
  const where = { ...place, workspaceFolder, overrideConfigPath, mountFlags };
  // A container named outright has a configuration only where its project is at hand.
  const configuration = tryLoadConfiguration(where, { optional: selected, tools });
  const found = await findMeantContainer(place, request.build.dockerPath, tools);
  if (configuration === undefined && found.details === undefined) {
    throw new UserError("Dev container not found. There is neither a configuration nor a container.", {
      hint: "Name the project with --workspace-folder, or a container with --container-id.",
    });
  }
  // As with the reference CLI, what depends on the container stays as written until there is one.
  const isKnown = found.details !== undefined && Object.keys(found.idLabels).length > 0;
  const identity = isKnown ? devcontainerId(found.idLabels) : undefined;
  const report =
    configuration === undefined
      ? {}
      : configurationReport(
          configuration,
          { devcontainerId: identity, env: found.details?.env },
          place.configPath !== undefined,
        );
  return {
    configuration: report,
    ...(configuration === undefined ? {} : { workspace: workspaceReport(configuration) }),
    ...(await requestedReports({ request, report, configuration, found }, tools)),
  };
}

function workspaceReport({ workspace }: LoadedConfiguration): JsonObject {
  const { workspaceFolder, workspaceMount, additionalMount } = workspace;
  return {
    workspaceFolder,
    ...(workspaceMount === undefined ? {} : { workspaceMount }),
    ...(additionalMount === undefined ? {} : { additionalMountString: additionalMount }),
  };
}

interface ReportParts {
  readonly request: ReadConfigurationRequest;
  readonly report: JsonObject;
  readonly configuration: LoadedConfiguration | undefined;
  readonly found: FoundContainer;
}

/** As with the reference CLI, the Features are there too when the merged configuration has to be made of them. */
async function requestedReports(parts: ReportParts, tools: Tools): Promise<JsonObject> {
  const { request, report, configuration, found } = parts;
  if (request.includeMerged && found.details === undefined && configuration !== undefined) {
    const { plan, features } = await prepareBuild(request.build, configuration, tools);
    const merged = mergedFor(metadataOf(plan), undefined, configuration);
    return { ...featuresReport(features, tools), mergedConfiguration: toJson(mergedConfiguration(report, merged)) };
  }
  const features =
    request.includeFeatures && configuration !== undefined
      ? featuresReport(await resolveConfiguredFeatures(request.build, configuration, tools), tools)
      : {};
  if (!request.includeMerged || found.details === undefined) return features;
  const { merged } = readContainerMetadata(found.details, { configuration, idLabels: found.idLabels }, tools);
  return { ...features, mergedConfiguration: toJson(mergedConfiguration(report, merged)) };
}

function featuresReport({ features }: ConfiguredFeatures, tools: Tools): JsonObject {
  return features.length === 0 ? {} : { featuresConfiguration: reportFeatures(features, cacheDirectory(tools)) };
}

function toJson(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
