import { devcontainerId, type IdLabels } from "../devcontainer/identity.ts";
import { type MergedMetadata, mergeMetadata } from "../devcontainer/merge.ts";
import {
  configMetadataEntry,
  type MetadataEntry,
  metadataLabelName,
  readMetadataLabel,
  substituteEntry,
  updateableMetadataEntry,
} from "../devcontainer/metadata-label.ts";
import type { SubstitutionContext } from "../devcontainer/substitute.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import { carriesLabels } from "./find-container.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import type { Tools } from "./tools.ts";

/** Where else than from its label a container's metadata may come. */
export interface MetadataSources {
  /** Undefined for a container without a configuration at hand. */
  readonly configuration: LoadedConfiguration | undefined;
  /** The labels that make the container the workspace's; empty when there is no telling. */
  readonly idLabels: IdLabels;
  /** Of Features that were resolved, for a container without the label. */
  readonly featureEntries?: readonly MetadataEntry[];
}

/** What all origins say about a container, variables replaced. */
export interface ContainerMetadata {
  readonly entries: readonly MetadataEntry[];
  readonly merged: MergedMetadata;
}

/**
 * The metadata of an existing container: of its label, with what may change from the current configuration when the container was
 * made for this workspace, with all of the configuration when it was not; without a label, of configuration and Features alone.
 */
export function readContainerMetadata(
  container: Pick<ContainerDetails, "labels" | "env">,
  sources: MetadataSources,
  tools: Pick<Tools, "environment" | "log">,
): ContainerMetadata {
  const { configuration, idLabels } = sources;
  const rawConfig = configuration?.rawConfig ?? {};
  const label = container.labels[metadataLabelName];
  const isOurs = Object.keys(idLabels).length > 0 && carriesLabels(container, idLabels);
  const ofConfig = label !== undefined && isOurs ? updateableMetadataEntry(rawConfig) : configMetadataEntry(rawConfig);
  const others = label === undefined ? (sources.featureEntries ?? []) : readEntries(label, tools);
  const context: SubstitutionContext = {
    ...(configuration?.substitution ?? { localEnv: tools.environment, platform: process.platform }),
    ...(Object.keys(idLabels).length === 0 ? {} : { devcontainerId: devcontainerId(idLabels) }),
    containerEnv: container.env,
  };
  const entries = [...others, ...(ofConfig === undefined ? [] : [ofConfig])].map((entry) =>
    substituteEntry(entry, context),
  );
  return { entries, merged: mergeMetadata(entries) };
}

function readEntries(label: string, tools: Pick<Tools, "log">): readonly MetadataEntry[] {
  const { entries, problems } = readMetadataLabel(label);
  for (const problem of problems) tools.log.debug(problem);
  return entries;
}
