import { findAgent } from "../agent/choose-variant.ts";
import { hasDevContainer } from "../workflows/agent-base.ts";
import { buildImage } from "../workflows/build-image.ts";
import type { BuildRequest } from "../workflows/build-request.ts";
import { hasAgentSettings, loadAgentSettings } from "../workflows/load-agent-settings.ts";
import { buildAgentImage } from "../workflows/prepare-agent-image.ts";
import type { Tools } from "../workflows/tools.ts";
import { BUILD_FLAGS, chooseView, readBuildRequest } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkLockfileFlags } from "./flag-groups.ts";
import { type FlagDefinitions, type Flags, UsageError } from "./flags.ts";
import { printOutcome } from "./outcome.ts";

/** The options of `build` alone. */
const AGENT_FLAGS = {
  agent: {
    type: "string",
    valueHint: "name",
    description:
      "Put a coding agent on the image: opencode, codex or claude (default where cooper.jsonc is all there is: opencode)",
  },
  base: { type: "boolean", description: "With an agent: build what it is put on again, too" },
  force: { type: "boolean", short: "f", description: "With an agent: build its image again, even if nothing changed" },
} as const satisfies FlagDefinitions;

/** `build`: one image of a workspace, its names as JSON on stdout. */
export const build: CliCommand = {
  name: "build",
  description: "Build a dev container image, or one with a coding agent on it",
  flags: { ...BUILD_FLAGS, ...AGENT_FLAGS },
  // The reference CLI takes a path here and ignores it.
  positionals: { kind: "words", atMost: 1 },
  check: (flags) => {
    checkLockfileFlags(flags);
    if (flags.string("agent") !== undefined && flags.string("backend") === "assemble") {
      throw new UsageError("--agent cannot be used with --backend assemble: the base is read in an engine.");
    }
  },
  run: (flags, tools) =>
    printOutcome(tools, "An error occurred building the container.", async () => {
      const request = readBuildRequest(flags, tools);
      const agent = agentOf(flags, request);
      if (agent !== undefined) return { imageName: [...(await buildAgent(agent, { flags, request }, tools))] };
      const { tags, compose } = await buildImage(request, { view: chooseView(flags, tools) }, tools);
      const [name = "", ...others] = tags;
      // As in the reference CLI, a Compose service's image that nobody named is no list.
      return { imageName: compose !== undefined && request.imageNames.length === 0 ? name : [name, ...others] };
    }),
};

/** The agent that is asked for, or meant where a project has cooper's settings and no devcontainer.json. */
function agentOf(flags: Flags, request: BuildRequest): string | undefined {
  const named = flags.string("agent");
  if (named !== undefined) return named;
  const isMeant = hasAgentSettings(request.workspaceFolder) && !hasDevContainer(request);
  return isMeant ? "opencode" : undefined;
}

async function buildAgent(
  name: string,
  { flags, request }: { readonly flags: Flags; readonly request: BuildRequest },
  tools: Tools,
): Promise<readonly string[]> {
  const { settings } = loadAgentSettings(request.workspaceFolder, tools);
  const [rebuildBase, force] = [flags.boolean("base"), flags.boolean("force")];
  const wish = { build: request, agent: findAgent(name), settings, rebuildBase, force };
  const { prepared } = await buildAgentImage(wish, { view: chooseView(flags, tools) }, tools);
  return prepared.tags;
}
