import { formatCommand } from "../plan/command.ts";
import { describeBuild, refuseContradictions } from "../workflows/build-image.ts";
import { loadConfiguration } from "../workflows/load-configuration.ts";
import { prepareBuild } from "../workflows/prepare-build.ts";
import type { Tools } from "../workflows/tools.ts";
import { BUILD_FLAGS, readBuildRequest } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkLockfileFlags } from "./flag-groups.ts";
import { type Flags, UsageError } from "./flags.ts";
import { printFailure } from "./outcome.ts";

/** `plan`: what `build` with the same options would do, printed instead of done. */
export const plan: CliCommand = {
  name: "plan",
  description: "Print what build would do with the same options, and stop",
  flags: {
    dockerfile: { type: "boolean", description: "Print the Dockerfile that would be built" },
    argv: { type: "boolean", description: "Print the commands that would be run" },
    ...BUILD_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkLockfileFlags(flags);
    if (flags.boolean("dockerfile") && flags.boolean("argv")) {
      throw new UsageError("--dockerfile and --argv are mutually exclusive.");
    }
  },
  run: async (flags, tools) => {
    try {
      tools.terminal.writeData(await describePlan(flags, tools));
      return 0;
    } catch (error) {
      return printFailure(tools, "An error occurred planning the image.", error);
    }
  },
};

async function describePlan(flags: Flags, tools: Tools): Promise<string> {
  const request = readBuildRequest(flags, tools);
  const configuration = loadConfiguration(request, tools);
  refuseContradictions(request, configuration);
  const prepared = await prepareBuild(request, configuration, tools);
  if (flags.boolean("dockerfile")) return (await describeBuild(prepared, tools)).dockerfile;
  if (flags.boolean("argv")) {
    const { commands, cleanup } = await describeBuild(prepared, tools);
    return [...commands, ...cleanup].map((command) => `${formatCommand(command)}\n`).join("");
  }
  const { planHash, tags, upToDate } = prepared;
  return `${JSON.stringify({ hash: planHash, tags, upToDate, plan: prepared.plan }, null, 2)}\n`;
}
