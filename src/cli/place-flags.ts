import { resolve } from "node:path";
import type { ContainerPlace } from "../workflows/find-meant-container.ts";
import type { Tools } from "../workflows/tools.ts";
import { ENGINE_FLAGS, LOG_FLAGS, SELECT_FLAGS, WORKSPACE_FLAGS } from "./flag-groups.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** The options that say which container is meant, and on which engine. */
export const PLACE_FLAGS = {
  "workspace-folder": WORKSPACE_FLAGS["workspace-folder"],
  config: WORKSPACE_FLAGS.config,
  ...SELECT_FLAGS,
  ...ENGINE_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** The container that the options mean. */
export function readPlace(flags: Flags, tools: Tools): ContainerPlace {
  const config = flags.string("config");
  const folder = flags.string("workspace-folder");
  const isSelected = flags.string("container-id") !== undefined || flags.list("id-label").length > 0;
  return {
    workspaceFolder: resolve(tools.workingDirectory, folder ?? "."),
    hasWorkspace: folder !== undefined || !isSelected,
    configPath: config === undefined ? undefined : resolve(tools.workingDirectory, config),
    containerId: flags.string("container-id"),
    idLabels: flags.list("id-label"),
  };
}
