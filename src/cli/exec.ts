import { UserError } from "../errors.ts";
import { execInContainer } from "../workflows/exec-in-container.ts";
import type { CliCommand } from "./command.ts";
import { checkExecFlags, EXEC_FLAGS, readExecRequest } from "./exec-flags.ts";

/** `exec`: runs everything from the first word on in the container; its exit code is the command's. */
export const exec: CliCommand = {
  name: "exec",
  description: "Run a command in this workspace's running container",
  flags: EXEC_FLAGS,
  positionals: { kind: "verbatim" },
  words: "command...",
  check: checkExecFlags,
  run: async (flags, tools) => {
    if (flags.positionals.length === 0) {
      throw new UserError("No command to run was given.", { hint: "Write it after the options: cooper exec npm test" });
    }
    return execInContainer(readExecRequest(flags, flags.positionals, tools), tools);
  },
};
