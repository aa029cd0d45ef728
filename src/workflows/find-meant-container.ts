import { existsSync } from "node:fs";
import { configSearch, workspaceFolderOf } from "../devcontainer/discover.ts";
import { parseIdLabels, workspaceIdLabels } from "../devcontainer/identity.ts";
import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { type ContainerWish, type FoundContainer, findContainer, type WorkspaceLabels } from "./find-container.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** Which container a command line means; paths absolute. */
export interface ContainerPlace {
  readonly workspaceFolder: string;
  /** Whether the folder was named, or is meant because nothing else was. */
  readonly hasWorkspace: boolean;
  readonly configPath: string | undefined;
  readonly containerId: string | undefined;
  /** As written, `name=value`. */
  readonly idLabels: readonly string[];
}

/** Finds the container that is meant, running or not, be its configuration still there or not, on the first engine that answers. */
export async function findMeantContainer(
  place: ContainerPlace,
  dockerPath: string | undefined,
  tools: Tools,
): Promise<FoundContainer & { readonly engine: Engine }> {
  const wish = meantContainer(place);
  const { engine, answer } = await reachEngine(engineCandidates(dockerPath, tools), (candidate) =>
    findContainer(candidate, wish),
  );
  return { engine, ...answer };
}

/** The container that is meant: an id, labels, or the workspace's own. */
export function meantContainer(place: ContainerPlace): ContainerWish {
  const { containerId, hasWorkspace } = place;
  const given = place.idLabels.length > 0 ? parseIdLabels(place.idLabels) : undefined;
  if (containerId === undefined) {
    return given === undefined
      ? { kind: "workspace", labels: workspaceLabels(place) }
      : { kind: "labels", labels: given };
  }
  const ofWorkspace = hasWorkspace ? workspaceLabels(place) : undefined;
  return {
    kind: "id",
    containerId,
    labels: given === undefined ? ofWorkspace : { current: given, legacy: given },
  };
}

/** A workspace is known by its folder and by where its configuration is, or would be. */
function workspaceLabels({ workspaceFolder: written, configPath }: ContainerPlace): WorkspaceLabels {
  const workspaceFolder = workspaceFolderOf(written);
  const { candidates } = configSearch({ workspaceFolder, config: configPath });
  const configFile = candidates.find((path) => existsSync(path)) ?? candidates[0] ?? workspaceFolder;
  return workspaceIdLabels({ workspaceFolder, configFile, platform: process.platform });
}
