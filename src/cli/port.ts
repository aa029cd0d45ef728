import { workspacePort } from "../agent/workspace-place.ts";
import { agentWorkspace } from "../workflows/agent-workspace.ts";
import { loadAgentSettings } from "../workflows/load-agent-settings.ts";
import type { CliCommand } from "./command.ts";
import { LOG_FLAGS } from "./flag-groups.ts";

/** `port`: the port of this machine that an agent's container here gets, if it is free. */
export const port: CliCommand = {
  name: "port",
  description: "Print the port of this machine for an agent's container in this project",
  flags: LOG_FLAGS,
  positionals: { kind: "words", atMost: 0 },
  run: async (_flags, tools) => {
    const workspace = agentWorkspace(tools);
    const { settings } = loadAgentSettings(workspace, tools);
    tools.terminal.writeData(`${settings.port ?? workspacePort(workspace)}\n`);
    return 0;
  },
};
