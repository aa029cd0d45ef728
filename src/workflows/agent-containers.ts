import { realpathSync } from "node:fs";
import { AGENT_LABEL } from "../agent/image-name.ts";
import { UserError } from "../errors.ts";
import { AGENT_WORKSPACE_LABEL } from "../plan/plan-agent-container.ts";
import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** A container that an agent runs in. */
export interface AgentContainerFound {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly status: string;
}

/** Which agents' containers are meant: those of a folder, or of all. */
export interface AgentContainersQuestion {
  readonly workspace: string | undefined;
  readonly dockerPath: string | undefined;
}

/** The running containers of agents, found by their labels, on the first engine that answers. */
export async function findAgentContainers(
  { workspace, dockerPath }: AgentContainersQuestion,
  tools: Tools,
): Promise<{ readonly engine: Engine; readonly containers: readonly AgentContainerFound[] }> {
  const label = workspace === undefined ? AGENT_LABEL : `${AGENT_WORKSPACE_LABEL}=${realpathSync(workspace)}`;
  const args = [
    "ps",
    "--no-trunc",
    "--filter",
    `label=${label}`,
    "--format",
    "{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Status}}",
  ];
  const { engine, answer } = await reachEngine(engineCandidates(dockerPath, tools), async (candidate) => {
    // Tells an engine that does not answer from one without containers.
    const { exitCode, stdout, stderr } = await candidate.ask(args);
    if (exitCode === 0) return stdout;
    await candidate.inspectImages([]);
    throw new UserError(`Could not list agents' containers: ${stderr.trim()}.`);
  });
  const rows = answer.split("\n").filter((line) => line !== "");
  const containers = rows.map((line) => {
    const [id = "", name = "", image = "", status = ""] = line.split("\t");
    return { id, name, image, status };
  });
  return { engine, containers: containers.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Runs words in the container of this folder's agent; resolves to their exit code. Throws UserError unless exactly one runs. */
export async function execInAgent(
  words: readonly string[],
  { question, terminal }: { readonly question: AgentContainersQuestion; readonly terminal: boolean },
  tools: Tools,
): Promise<number> {
  const { engine, containers } = await findAgentContainers(question, tools);
  const [only, ...others] = containers;
  if (only === undefined) {
    throw new UserError(`No agent runs in ${question.workspace}.`, { hint: "Start one: cooper opencode" });
  }
  if (others.length > 0) {
    const names = containers.map(({ name }) => name).join(", ");
    throw new UserError(`Several agents run in ${question.workspace}: ${names}.`, {
      hint: "End all but one: cooper agent stop",
    });
  }
  const args = ["exec", "-i", ...(terminal ? ["-t"] : []), only.id, ...words];
  const { exitCode } = await tools.runProcess({ file: engine.path, args, env: {} }, { stdio: { kind: "inherited" } });
  return exitCode;
}

/** Stops the containers of a folder's agents, which are gone then; tells their names. */
export async function stopAgents(question: AgentContainersQuestion, tools: Tools): Promise<readonly string[]> {
  const { engine, containers } = await findAgentContainers(question, tools);
  if (containers.length === 0) return [];
  await engine.run({ file: engine.path, args: ["stop", ...containers.map(({ id }) => id)], env: {} });
  return containers.map(({ name }) => name);
}
