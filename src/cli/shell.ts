import { execInWorkspace } from "../workflows/exec-in-workspace.ts";
import { readAgentChoice } from "./agent-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkExecFlags, EXEC_FLAGS, readExecRequest } from "./exec-flags.ts";

/** `shell`: the remote user's login shell in the workspace folder; reads its commands from stdin where that is no terminal. */
export const shell: CliCommand = {
  name: "shell",
  description: "Open a login shell in this workspace's running container, or where it has none, in its agent's",
  flags: EXEC_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  check: checkExecFlags,
  run: (flags, tools) => execInWorkspace(readExecRequest(flags, "login shell", tools), readAgentChoice(flags), tools),
};
