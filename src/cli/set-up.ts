import { resolve } from "node:path";
import { setUpContainer } from "../workflows/set-up.ts";
import type { CliCommand } from "./command.ts";
import {
  checkRemoteEnv,
  checkTerminalFlags,
  ENGINE_FLAGS,
  LOG_FLAGS,
  SELECT_FLAGS,
  TERMINAL_FLAGS,
  WORKSPACE_FLAGS,
} from "./flag-groups.ts";
import { type FlagDefinitions, UsageError } from "./flags.ts";
import { printOutcome } from "./outcome.ts";
import { RUN_FLAGS, readRunWishes } from "./run-flags.ts";

const SET_UP_FLAGS = {
  "container-id": SELECT_FLAGS["container-id"],
  config: WORKSPACE_FLAGS.config,
  "user-data-folder": { ...WORKSPACE_FLAGS["user-data-folder"], hidden: true },
  "docker-path": ENGINE_FLAGS["docker-path"],
  ...RUN_FLAGS,
  "skip-post-create": { type: "boolean", description: "Run no hooks and install no dotfiles" },
  "include-configuration": { type: "boolean", description: "Include the configuration in the result" },
  "include-merged-configuration": {
    type: "boolean",
    description: "Include the merged configuration in the result",
  },
  ...TERMINAL_FLAGS,
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** `set-up`: makes a container that something else started ready for work. */
export const setUp: CliCommand = {
  name: "set-up",
  description: "Run the hooks of a container that something else started",
  flags: SET_UP_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    if (flags.string("container-id") === undefined) throw new UsageError("Missing required argument: container-id");
    checkRemoteEnv(flags);
    checkTerminalFlags(flags);
  },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred running user commands in the container.", () => {
      const config = flags.string("config");
      return setUpContainer(
        {
          containerId: flags.string("container-id") ?? "",
          configPath: config === undefined ? undefined : resolve(tools.workingDirectory, config),
          dockerPath: flags.string("docker-path"),
          run: readRunWishes(flags, tools, SET_UP_FLAGS),
          includeConfiguration: flags.boolean("include-configuration"),
          includeMerged: flags.boolean("include-merged-configuration"),
        },
        tools,
      );
    }),
};
