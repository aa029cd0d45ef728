import type { Agent } from "../agent/agents.ts";
import { buildImage } from "../workflows/build-image.ts";
import type { BuildRequest } from "../workflows/build-request.ts";
import { loadAgentSettings } from "../workflows/load-agent-settings.ts";
import { buildAgentImage } from "../workflows/prepare-agent-image.ts";
import type { Tools } from "../workflows/tools.ts";
import { agentBuildFlags, agentToBuild } from "./agent-flags.ts";
import { BUILD_FLAGS, chooseView, readBuildRequest } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkLockfileFlags } from "./flag-groups.ts";
import type { Flags } from "./flags.ts";
import { printOutcome } from "./outcome.ts";

/** `build`: one image of a workspace, its names as JSON on stdout. */
export function createBuild(agents: readonly Agent[]): CliCommand {
  return {
    name: "build",
    description: "Build a dev container image, or one with a coding agent on it",
    flags: { ...BUILD_FLAGS, ...agentBuildFlags(agents) },
    // The reference CLI takes a path here and ignores it.
    positionals: { kind: "words", atMost: 1 },
    check: checkLockfileFlags,
    run: (flags, tools) =>
      printOutcome(tools, "An error occurred building the container.", async () => {
        const request = readBuildRequest(flags, tools);
        const agent = agentToBuild(flags, request, { agents });
        if (agent !== undefined) return { imageName: [...(await buildAgent(agent, { flags, request }, tools))] };
        const { tags, compose } = await buildImage(request, { view: chooseView(flags, tools) }, tools);
        const [name = "", ...others] = tags;
        // As in the reference CLI, a Compose service's image that nobody named is no list.
        return { imageName: compose !== undefined && request.imageNames.length === 0 ? name : [name, ...others] };
      }),
  };
}

async function buildAgent(
  agent: Agent,
  { flags, request }: { readonly flags: Flags; readonly request: BuildRequest },
  tools: Tools,
): Promise<readonly string[]> {
  const { settings } = loadAgentSettings(request.workspaceFolder, tools);
  const [rebuildBase, force] = [flags.boolean("base"), flags.boolean("force")];
  const wish = { build: request, agent, settings, rebuildBase, force };
  const { prepared } = await buildAgentImage(wish, { view: chooseView(flags, tools) }, tools);
  return prepared.tags;
}
