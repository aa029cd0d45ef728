import { resolve } from "node:path";
import { plainBuildRequest } from "../workflows/build-request.ts";
import { reportConfiguration } from "../workflows/read-configuration.ts";
import type { CliCommand } from "./command.ts";
import {
  checkIdLabels,
  checkTerminalFlags,
  MOUNT_FLAGS,
  OVERRIDE_FLAGS,
  TERMINAL_FLAGS,
  WORKSPACE_FLAGS,
} from "./flag-groups.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";

/** `read-configuration`: the configuration as JSON on stdout, nothing on stdout when it cannot be read. */
export const readConfiguration: CliCommand = {
  name: "read-configuration",
  description: "Print the configuration as JSON, also merged with what image and Features say",
  flags: {
    ...PLACE_FLAGS,
    ...MOUNT_FLAGS,
    ...OVERRIDE_FLAGS,
    "additional-features": WORKSPACE_FLAGS["additional-features"],
    "include-features-configuration": { type: "boolean", description: "Include the resolved Features" },
    "include-merged-configuration": {
      type: "boolean",
      description: "Include the configuration merged with the metadata of image and Features",
    },
    "user-data-folder": WORKSPACE_FLAGS["user-data-folder"],
    "skip-feature-auto-mapping": { type: "boolean", description: "Accepted for compatibility", hidden: true },
    ...TERMINAL_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkIdLabels(flags);
    checkTerminalFlags(flags);
  },
  run: async (flags, tools) => {
    const place = readPlace(flags, tools);
    const override = flags.string("override-config");
    const document = await reportConfiguration(
      {
        place,
        build: {
          ...plainBuildRequest(place),
          dockerPath: flags.string("docker-path"),
          dockerComposePath: flags.string("docker-compose-path"),
          additionalFeatures: flags.string("additional-features"),
        },
        overrideConfigPath: override === undefined ? undefined : resolve(tools.workingDirectory, override),
        mountFlags: {
          gitRoot: flags.boolean("mount-workspace-git-root"),
          worktreeCommonDirectory: flags.boolean("mount-git-worktree-common-dir"),
          consistency: undefined,
        },
        includeFeatures: flags.boolean("include-features-configuration"),
        includeMerged: flags.boolean("include-merged-configuration"),
      },
      tools,
    );
    tools.terminal.writeData(`${JSON.stringify(document)}\n`);
    return 0;
  },
};
