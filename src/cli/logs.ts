import { showLogs } from "../workflows/show-logs.ts";
import type { CliCommand } from "./command.ts";
import { checkIdLabels } from "./flag-groups.ts";
import { UsageError } from "./flags.ts";
import { PLACE_FLAGS, readPlace } from "./place-flags.ts";

/** `logs`: what the workspace's container printed, as it printed it. */
export const logs: CliCommand = {
  name: "logs",
  description: "Show what this workspace's container printed",
  flags: {
    follow: { type: "boolean", short: "f", description: "Go on until it stops" },
    tail: { type: "string", valueHint: "n", description: "Only the last n lines" },
    timestamps: { type: "boolean", description: "Put the time before each line" },
    ...PLACE_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: (flags) => {
    checkIdLabels(flags);
    const tail = flags.string("tail");
    if (tail !== undefined && !/^(?:\d+|all)$/.test(tail))
      throw new UsageError(`--tail is a number of lines, found ${JSON.stringify(tail)}.`);
  },
  run: async (flags, tools) =>
    showLogs(
      {
        place: readPlace(flags, tools),
        dockerPath: flags.string("docker-path"),
        follow: flags.boolean("follow"),
        tail: flags.string("tail"),
        timestamps: flags.boolean("timestamps"),
      },
      tools,
    ),
};
