import { join } from "node:path";
import type { Agent } from "../agent/agents.ts";
import { UserError } from "../errors.ts";
import { buildImage } from "../workflows/build-image.ts";
import type { BuildRequest } from "../workflows/build-request.ts";
import { loadAgentSettings, SETTINGS_NAMES } from "../workflows/load-agent-settings.ts";
import { NoConfiguration } from "../workflows/load-configuration.ts";
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
        const built = buildImage(request, { view: chooseView(flags, tools) }, tools);
        const { tags, compose } = await built.catch((error) => withAgentPlaces(error, request));
        const [name = "", ...others] = tags;
        // As in the reference CLI, a Compose service's image that nobody named is no list.
        return { imageName: compose !== undefined && request.imageNames.length === 0 ? name : [name, ...others] };
      }),
  };
}

/** Where there is nothing to build from, cooper's own settings were looked for, too. */
function withAgentPlaces(error: unknown, { workspaceFolder }: BuildRequest): never {
  if (!(error instanceof NoConfiguration)) throw error;
  const places = SETTINGS_NAMES.map((name) => join(workspaceFolder, name)).join(" and ");
  throw new UserError(`${error.message} Nor is there ${places}.`, {
    hint: `${error.hint} For a coding agent: --agent, or a cooper.jsonc with custom_base_image.`,
    cause: error,
  });
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
