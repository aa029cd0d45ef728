import { execInContainer } from "../workflows/exec-in-container.ts";
import type { CliCommand } from "./command.ts";
import { checkExecFlags, EXEC_FLAGS, readExecRequest } from "./exec-flags.ts";

/** `shell`: the remote user's login shell in the workspace folder; reads its commands from stdin where that is no terminal. */
export const shell: CliCommand = {
  name: "shell",
  description: "Open the user's login shell in this workspace's running container",
  flags: EXEC_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  check: checkExecFlags,
  run: (flags, tools) => execInContainer(readExecRequest(flags, "login shell", tools), tools),
};
