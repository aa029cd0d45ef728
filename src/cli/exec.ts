import { UserError } from "../errors.ts";
import { execInWorkspace } from "../workflows/exec-in-workspace.ts";
import { readAgentChoice } from "./agent-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkExecFlags, EXEC_FLAGS, readExecRequest } from "./exec-flags.ts";

/** `exec`: runs everything from the first word on in the container; its exit code is the command's. */
export const exec: CliCommand = {
  name: "exec",
  description: "Run a command in this workspace's running container, or where it has none, in its agent's",
  flags: EXEC_FLAGS,
  positionals: { kind: "verbatim" },
  words: "command...",
  check: checkExecFlags,
  run: async (flags, tools) => {
    if (flags.positionals.length === 0) {
      throw new UserError("No command to run was given.", { hint: "Write it after the options: cooper exec npm test" });
    }
    return execInWorkspace(readExecRequest(flags, flags.positionals, tools), readAgentChoice(flags), tools);
  },
};
