import { resolve } from "node:path";
import { runHooksOfWorkspace } from "../workflows/run-user-commands.ts";
import type { CliCommand } from "./command.ts";
import {
  checkPairFlags,
  checkTerminalFlags,
  MOUNT_FLAGS,
  OVERRIDE_FLAGS,
  TERMINAL_FLAGS,
  WORKSPACE_FLAGS,
} from "./flag-groups.ts";
import type { FlagDefinitions } from "./flags.ts";
import { printOutcome } from "./outcome.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";
import { HOOK_FLAGS, RUN_FLAGS, readRunWishes, SECRETS_FLAGS } from "./run-flags.ts";

const RUN_USER_COMMANDS_FLAGS = {
  ...PLACE_FLAGS,
  ...OVERRIDE_FLAGS,
  ...MOUNT_FLAGS,
  ...RUN_FLAGS,
  ...HOOK_FLAGS,
  "stop-for-personalization": { type: "boolean", description: "Stop after the dotfiles, before postStartCommand" },
  ...SECRETS_FLAGS,
  "user-data-folder": { ...WORKSPACE_FLAGS["user-data-folder"], hidden: true },
  "skip-feature-auto-mapping": { type: "boolean", description: "Accepted for compatibility", hidden: true },
  ...TERMINAL_FLAGS,
} as const satisfies FlagDefinitions;

/** `run-user-commands`: runs the hooks of a running container that have not run yet. */
export const runUserCommands: CliCommand = {
  name: "run-user-commands",
  description: "Run the hooks of a running container that have not run yet",
  flags: RUN_USER_COMMANDS_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkPairFlags(flags);
    checkTerminalFlags(flags);
  },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred running user commands in the container.", async () => {
      const override = flags.string("override-config");
      const result = await runHooksOfWorkspace(
        {
          place: readPlace(flags, tools),
          overrideConfigPath: override === undefined ? undefined : resolve(tools.workingDirectory, override),
          mountFlags: {
            gitRoot: flags.boolean("mount-workspace-git-root"),
            worktreeCommonDirectory: flags.boolean("mount-git-worktree-common-dir"),
            consistency: undefined,
          },
          dockerPath: flags.string("docker-path"),
          run: readRunWishes(flags, tools, RUN_USER_COMMANDS_FLAGS),
        },
        tools,
      );
      return { result };
    }),
};
