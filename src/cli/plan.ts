import type { Agent } from "../agent/agents.ts";
import { UserError } from "../errors.ts";
import { formatCommand } from "../plan/command.ts";
import { describeBuild, refuseContradictions, refuseUnbuildable } from "../workflows/build-image.ts";
import type { BuildRequest } from "../workflows/build-request.ts";
import { loadAgentSettings } from "../workflows/load-agent-settings.ts";
import { loadConfiguration } from "../workflows/load-configuration.ts";
import { foreseeAgentImage } from "../workflows/prepare-agent-image.ts";
import { type PreparedBuild, prepareBuild } from "../workflows/prepare-build.ts";
import type { Tools } from "../workflows/tools.ts";
import { agentBuildFlags, agentToBuild } from "./agent-flags.ts";
import { BUILD_FLAGS, readBuildRequest } from "./build-flags.ts";
import type { CliCommand } from "./command.ts";
import { checkLockfileFlags } from "./flag-groups.ts";
import { type Flags, UsageError } from "./flags.ts";
import { printFailure } from "./outcome.ts";

/** `plan`: what `build` with the same options would do, printed instead of done. */
export function createPlan(agents: readonly Agent[]): CliCommand {
  return {
    name: "plan",
    description: "Print what build would do with the same options, and stop",
    flags: {
      dockerfile: { type: "boolean", description: "Print the Dockerfile that would be built" },
      argv: { type: "boolean", description: "Print the commands that would be run" },
      ...BUILD_FLAGS,
      ...agentBuildFlags(agents),
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
        const request = readBuildRequest(flags, tools);
        const agent = agentToBuild(flags, request, { agents });
        const text =
          agent === undefined
            ? await describePlan(request, flags, tools)
            : await describeAgentPlan({ agent, request }, flags, tools);
        tools.terminal.writeData(text);
        return 0;
      } catch (error) {
        return printFailure(tools, "An error occurred planning the image.", error);
      }
    },
  };
}

async function describePlan(request: BuildRequest, flags: Flags, tools: Tools): Promise<string> {
  const configuration = loadConfiguration(request, tools);
  refuseContradictions(request, configuration);
  const prepared = await prepareBuild(request, configuration, tools);
  if (!flags.boolean("dockerfile") && !flags.boolean("argv")) return printed(reportOf(prepared));
  return describe([prepared], flags, tools);
}

/** An agent's image, and its base where that is built first; as long as such a base is not there, it alone can be told. */
async function describeAgentPlan(
  { agent, request }: { readonly agent: Agent; readonly request: BuildRequest },
  flags: Flags,
  tools: Tools,
): Promise<string> {
  const { settings } = loadAgentSettings(request.workspaceFolder, tools);
  const [rebuildBase, force] = [flags.boolean("base"), flags.boolean("force")];
  const { base, image } = await foreseeAgentImage({ build: request, agent, settings, rebuildBase, force }, tools);
  if (image === undefined) {
    tools.log.warning(
      `This is the base alone, which is built first: its users and its C library decide how ${agent.title} is put on it.`,
    );
  }
  const builds = [base, image?.prepared].flatMap((prepared) => prepared ?? []);
  if (flags.boolean("dockerfile") || flags.boolean("argv")) return describe(builds, flags, tools);
  const own = image === undefined ? { hash: null, tags: [], upToDate: false, plan: null } : reportOf(image.prepared);
  return printed({ ...own, base: base === undefined ? null : reportOf(base) });
}

/** The Dockerfiles or the commands of builds that follow each other. */
async function describe(builds: readonly PreparedBuild[], flags: Flags, tools: Tools): Promise<string> {
  const described = await Promise.all(builds.map((prepared) => describeBuild(prepared, tools)));
  if (flags.boolean("argv")) {
    return described.flatMap(({ commands }) => commands.map((command) => `${formatCommand(command)}\n`)).join("");
  }
  return described.map(({ dockerfile }) => dockerfile ?? refuseDockerfile()).join("\n");
}

function refuseDockerfile(): never {
  throw new UserError("No Dockerfile is built with this backend.", {
    hint: "Without --dockerfile the plan is printed, with --argv what runs; --backend engine is what builds a Dockerfile.",
  });
}

function reportOf(prepared: PreparedBuild) {
  refuseUnbuildable(prepared);
  const { planHash, tags, upToDate, plan } = prepared;
  return { hash: planHash, tags: [...tags], upToDate, plan };
}

function printed(report: object): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
