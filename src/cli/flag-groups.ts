import type { LogFormat, LogLevel, LogSettings } from "../host/log.ts";
import { type FlagDefinitions, type Flags, UsageError } from "./flags.ts";

/** How much is said on stderr, and how; every command has these. */
export const LOG_FLAGS = {
  "log-level": {
    type: "string",
    choices: ["info", "debug", "trace"],
    default: "info",
    description: "How much to say on stderr",
  },
  "log-format": {
    type: "string",
    choices: ["text", "json"],
    default: "text",
    description: "Lines for people, or one JSON event per line",
  },
  quiet: { type: "boolean", description: "Say nothing on stderr but warnings and errors" },
} as const satisfies FlagDefinitions;

/** Which project and which of its configurations. */
export const WORKSPACE_FLAGS = {
  "workspace-folder": {
    type: "string",
    valueHint: "path",
    description: "The project's folder (default: the current one)",
  },
  config: {
    type: "string",
    valueHint: "path",
    description:
      "The devcontainer.json to use (default: the first of .devcontainer/devcontainer.json and .devcontainer.json)",
  },
  "additional-features": {
    type: "string",
    valueHint: "json",
    description: 'Features to add, as the JSON object that devcontainer.json\'s "features" takes',
  },
  "user-data-folder": {
    type: "string",
    valueHint: "path",
    description: "Where builds are prepared (default: cooper's cache)",
  },
} as const satisfies FlagDefinitions;

/** Which engine. */
export const ENGINE_FLAGS = {
  "docker-path": {
    type: "string",
    valueHint: "path",
    description: "The docker or podman to use (default: COOPER_DOCKER_PATH, then docker or podman from PATH)",
  },
  "docker-compose-path": { type: "string", valueHint: "path", description: "The docker-compose to use", hidden: true },
} as const satisfies FlagDefinitions;

/** What becomes of the lockfile. */
export const LOCKFILE_FLAGS = {
  "no-lockfile": { type: "boolean", description: "Neither read nor write devcontainer-lock.json" },
  "frozen-lockfile": { type: "boolean", description: "Fail if devcontainer-lock.json is missing or would change" },
  "experimental-lockfile": {
    type: "boolean",
    description: "Deprecated: the lockfile is written without it",
    hidden: true,
  },
  "experimental-frozen-lockfile": { type: "boolean", description: "Deprecated: use --frozen-lockfile", hidden: true },
} as const satisfies FlagDefinitions;

/** The size of the terminal that output is meant for. */
export const TERMINAL_FLAGS = {
  "terminal-columns": {
    type: "number",
    valueHint: "n",
    description: "Columns of the terminal; goes with --terminal-rows",
  },
  "terminal-rows": {
    type: "number",
    valueHint: "n",
    description: "Rows of the terminal; goes with --terminal-columns",
  },
} as const satisfies FlagDefinitions;

/** Which container, when it is not the workspace's own. */
export const SELECT_FLAGS = {
  "container-id": { type: "string", valueHint: "id", description: "The container to use" },
  "id-label": {
    type: "string",
    multiple: true,
    valueHint: "name=value",
    description: "Find the container by this label instead of its workspace and configuration",
  },
} as const satisfies FlagDefinitions;

/** Another file to read the configuration from. */
export const OVERRIDE_FLAGS = {
  "override-config": {
    type: "string",
    valueHint: "path",
    description: "Read this file instead of the devcontainer.json, which then only says where it would be",
  },
} as const satisfies FlagDefinitions;

/** What of the project's git repository is mounted. */
export const MOUNT_FLAGS = {
  "mount-workspace-git-root": {
    type: "boolean",
    default: true,
    description: "Mount the whole git repository that the workspace is in",
  },
  "mount-git-worktree-common-dir": {
    type: "boolean",
    description: "Mount the common directory of a git worktree whose links are relative",
  },
} as const satisfies FlagDefinitions;

/** Where records are kept inside the container. */
export const CONTAINER_DATA_FLAGS = {
  "container-data-folder": {
    type: "string",
    valueHint: "path",
    description: "The user's folder in the container for what is remembered (default: ~/.devcontainer)",
  },
  "container-system-data-folder": {
    type: "string",
    valueHint: "path",
    description: "The system's folder in the container for what is remembered (default: /var/devcontainer)",
  },
  "container-session-data-folder": {
    type: "string",
    valueHint: "path",
    description: "Cache the user's environment in this folder of the container",
  },
} as const satisfies FlagDefinitions;

/** The environment that commands in the container get. */
export const ENVIRONMENT_FLAGS = {
  "default-user-env-probe": {
    type: "string",
    choices: ["none", "loginInteractiveShell", "interactiveShell", "loginShell"],
    default: "loginInteractiveShell",
    description: "Which shell tells the user's environment, where the configuration does not say",
  },
  "remote-env": {
    type: "string",
    multiple: true,
    valueHint: "name=value",
    description: "A variable for commands in the container",
  },
} as const satisfies FlagDefinitions;

/** The user's own settings for the container's home. */
export const DOTFILES_FLAGS = {
  "dotfiles-repository": {
    type: "string",
    valueHint: "url",
    description: "A dotfiles repository to clone, as URL or owner/name",
  },
  "dotfiles-install-command": { type: "string", valueHint: "command", description: "What installs the dotfiles" },
  "dotfiles-target-path": {
    type: "string",
    default: "~/dotfiles",
    valueHint: "path",
    description: "Where the dotfiles are cloned to",
  },
} as const satisfies FlagDefinitions;

/** Throws UsageError for lockfile options that contradict each other. */
export function checkLockfileFlags(flags: Flags): void {
  if (!flags.boolean("no-lockfile")) return;
  for (const other of ["frozen-lockfile", "experimental-frozen-lockfile", "experimental-lockfile"]) {
    if (flags.boolean(other)) throw new UsageError(`--no-lockfile and --${other} are mutually exclusive.`);
  }
}

/** Throws UsageError unless both of the terminal's sizes are given, or neither. */
export function checkTerminalFlags(flags: Flags): void {
  const [columns, rows] = [flags.number("terminal-columns"), flags.number("terminal-rows")];
  if (columns !== undefined && rows === undefined)
    throw new UsageError("Implications failed:\n terminal-columns -> terminal-rows");
  if (rows !== undefined && columns === undefined)
    throw new UsageError("Implications failed:\n terminal-rows -> terminal-columns");
}

/** Throws UsageError for an `--id-label` or `--remote-env` that is not a pair. */
export function checkPairFlags(flags: Flags): void {
  checkIdLabels(flags);
  checkRemoteEnv(flags);
}

/** Throws UsageError for an `--id-label` that is not a pair. */
export function checkIdLabels(flags: Flags): void {
  for (const label of flags.list("id-label")) {
    if (!/.=./.test(label)) throw new UsageError("id-label must match <name>=<value>");
  }
}

/** Throws UsageError for a `--remote-env` without a name. */
export function checkRemoteEnv(flags: Flags): void {
  for (const variable of flags.list("remote-env")) {
    if (!/^[^=]+=/.test(variable)) throw new UsageError("remote-env must match <name>=<value>");
  }
}

/** The log that the flags ask for. */
export function logSettings(flags: Flags): LogSettings {
  const level = flags.string("log-level");
  const format: LogFormat = flags.string("log-format") === "json" ? "json" : "text";
  const known: LogLevel = level === "debug" || level === "trace" ? level : "info";
  return { level: known, format, quiet: flags.boolean("quiet") };
}
