import { resolve } from "node:path";
import { isatty } from "node:tty";
import { AGENTS } from "../agent/agents.ts";
import { parseIdLabels } from "../devcontainer/identity.ts";
import type { ExecRequest } from "../workflows/exec-in-container.ts";
import type { UserEnvProbe } from "../workflows/probe-environment.ts";
import type { Tools } from "../workflows/tools.ts";
import { agentChoiceFlag, checkAgentChoice } from "./agent-flags.ts";
import {
  CONTAINER_DATA_FLAGS,
  checkPairFlags,
  checkTerminalFlags,
  ENGINE_FLAGS,
  ENVIRONMENT_FLAGS,
  LOG_FLAGS,
  logSettings,
  MOUNT_FLAGS,
  OVERRIDE_FLAGS,
  SELECT_FLAGS,
  TERMINAL_FLAGS,
  WORKSPACE_FLAGS,
} from "./flag-groups.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** The options of `exec` and of `shell`. */
export const EXEC_FLAGS = {
  ...agentChoiceFlag(AGENTS),
  "workspace-folder": WORKSPACE_FLAGS["workspace-folder"],
  config: WORKSPACE_FLAGS.config,
  ...OVERRIDE_FLAGS,
  ...SELECT_FLAGS,
  ...ENVIRONMENT_FLAGS,
  ...ENGINE_FLAGS,
  ...MOUNT_FLAGS,
  ...CONTAINER_DATA_FLAGS,
  "user-data-folder": WORKSPACE_FLAGS["user-data-folder"],
  "skip-feature-auto-mapping": {
    type: "boolean",
    description: "Accepted for compatibility; ids are never mapped silently",
    hidden: true,
  },
  ...TERMINAL_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** Throws UsageError for options that are malformed or lack their companion. */
export function checkExecFlags(flags: Flags): void {
  checkAgentChoice(flags);
  checkPairFlags(flags);
  checkTerminalFlags(flags);
}

/** The request that the options make; without any that names a container, that of the current folder is meant. */
export function readExecRequest(flags: Flags, command: ExecRequest["command"], tools: Tools): ExecRequest {
  const path = (name: string) => {
    const written = flags.string(name);
    return written === undefined ? undefined : resolve(tools.workingDirectory, written);
  };
  const containerId = flags.string("container-id");
  const idLabels = parseIdLabels(flags.list("id-label"));
  const named = containerId !== undefined || flags.list("id-label").length > 0;
  const asEvents = logSettings(flags).format === "json";
  return {
    command,
    target: {
      workspaceFolder: path("workspace-folder") ?? (named ? undefined : tools.workingDirectory),
      configPath: path("config"),
      overrideConfigPath: path("override-config"),
      containerId,
      idLabels,
      dockerPath: flags.string("docker-path"),
      mountFlags: {
        gitRoot: flags.boolean("mount-workspace-git-root"),
        worktreeCommonDirectory: flags.boolean("mount-git-worktree-common-dir"),
        consistency: undefined,
      },
    },
    defaultUserEnvProbe: userEnvProbe(flags.string("default-user-env-probe")),
    remoteEnv: Object.fromEntries(flags.list("remote-env").map(splitPair)),
    containerSystemDataFolder: flags.string("container-system-data-folder"),
    containerSessionDataFolder: flags.string("container-session-data-folder"),
    terminal: isatty(0) && isatty(1),
    events: asEvents
      ? { columns: flags.number("terminal-columns") ?? 80, rows: flags.number("terminal-rows") ?? 24 }
      : undefined,
  };
}

function splitPair(text: string): readonly [string, string] {
  const sign = text.indexOf("=");
  return [text.slice(0, sign), text.slice(sign + 1)];
}

function userEnvProbe(written: string | undefined): UserEnvProbe {
  switch (written) {
    case "none":
    case "interactiveShell":
    case "loginShell":
      return written;
    default:
      return "loginInteractiveShell";
  }
}
