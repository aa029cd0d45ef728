import { resolve } from "node:path";
import type { Tools } from "../workflows/tools.ts";
import type { RunWishes } from "../workflows/up-request.ts";
import { CONTAINER_DATA_FLAGS, DOTFILES_FLAGS, ENVIRONMENT_FLAGS } from "./flag-groups.ts";
import type { FlagDefinitions, Flags } from "./flags.ts";

/** The options of every command that runs hooks in a container. */
export const RUN_FLAGS = {
  ...ENVIRONMENT_FLAGS,
  ...CONTAINER_DATA_FLAGS,
  ...DOTFILES_FLAGS,
  "skip-non-blocking-commands": {
    type: "boolean",
    description: "Stop after the hook that waitFor names (default: updateContentCommand)",
  },
} as const satisfies FlagDefinitions;

/** The hooks that some commands can leave out. */
export const HOOK_FLAGS = {
  prebuild: {
    type: "boolean",
    description: "Stop after onCreateCommand and updateContentCommand, and run the latter again",
  },
  "skip-post-attach": { type: "boolean", description: "Leave postAttachCommand out" },
} as const satisfies FlagDefinitions;

/** Secrets for hooks. */
export const SECRETS_FLAGS = {
  "secrets-file": {
    type: "string",
    valueHint: "path",
    description: "A JSON file of secrets, given to hooks as variables and kept out of every output",
  },
} as const satisfies FlagDefinitions;

/** Whether the repository's own commands run on this machine. */
export const HOST_FLAGS = {
  "no-host-commands": { type: "boolean", description: "Do not run initializeCommand on this machine" },
} as const satisfies FlagDefinitions;

/** What the options say about running hooks; options that a command does not have count as not given. */
export function readRunWishes(flags: Flags, tools: Tools, has: FlagDefinitions): RunWishes {
  const given = (name: string) => Object.hasOwn(has, name) && flags.boolean(name);
  const secretsFile = Object.hasOwn(has, "secrets-file") ? flags.string("secrets-file") : undefined;
  const probe = flags.string("default-user-env-probe");
  return {
    lifecycle: {
      skipNonBlocking: flags.boolean("skip-non-blocking-commands"),
      prebuild: given("prebuild"),
      stopForPersonalization: given("stop-for-personalization"),
      skipPostCreate: given("skip-post-create"),
      skipPostAttach: given("skip-post-attach"),
    },
    defaultUserEnvProbe:
      probe === "none" || probe === "loginShell" || probe === "interactiveShell" ? probe : "loginInteractiveShell",
    remoteEnv: readRemoteEnv(flags),
    containerDataFolder: flags.string("container-data-folder"),
    containerSystemDataFolder: flags.string("container-system-data-folder"),
    containerSessionDataFolder: flags.string("container-session-data-folder"),
    dotfiles: {
      repository: flags.string("dotfiles-repository"),
      installCommand: flags.string("dotfiles-install-command"),
      targetPath: flags.string("dotfiles-target-path") ?? "~/dotfiles",
    },
    secretsFile: secretsFile === undefined ? undefined : resolve(tools.workingDirectory, secretsFile),
    hostCommands: given("no-host-commands") ? false : undefined,
  };
}

/** The variables of `--remote-env`; the value may hold more equals signs. */
export function readRemoteEnv(flags: Flags): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flags.list("remote-env").map((variable) => {
      const equals = variable.indexOf("=");
      return [variable.slice(0, equals), variable.slice(equals + 1)];
    }),
  );
}
