import { randomUUID } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { AGENT_LABEL } from "../agent/image-name.ts";
import { UserError } from "../errors.ts";
import type { Stdio } from "../host/spawn.ts";
import { AGENT_WORKSPACE_LABEL } from "../plan/plan-agent-container.ts";
import type { Engine } from "../runtime/engine.ts";
import { execCommand } from "../runtime/exec-command.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { labelFilter } from "../runtime/label-filter.ts";
import { endRemoteProcesses, PROCESS_MARK } from "./end-remote-processes.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** A container that an agent runs in. */
export interface AgentContainerFound {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly status: string;
  readonly agent: string;
  /** The folder of the host that it works in. */
  readonly workspaceFolder: string;
}

/** An agent whose container is meant: by name, or whichever it is. */
export interface AgentChoice {
  readonly name: string | undefined;
}

/** Which agents' containers are meant: those of a folder, or of all; of one agent, or of any. */
export interface AgentContainersQuestion {
  readonly workspace: string | undefined;
  readonly dockerPath: string | undefined;
  readonly agent?: string | undefined;
}

/** Agents' containers, and the engine that has them. */
export interface AgentContainers {
  readonly engine: Engine;
  readonly containers: readonly AgentContainerFound[];
}

/** What is to run beside an agent. */
export interface ExecInAgentRequest {
  readonly command: readonly string[] | "login shell";
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: boolean;
  /** Output as events of the log, from a terminal of this size. */
  readonly events: { readonly columns: number; readonly rows: number } | undefined;
}

const LOGIN_SHELL = ["sh", "-c", "if command -v bash >/dev/null; then exec bash -l; fi; exec sh -l"];

/** The running containers of agents, found by their labels, on the first engine that answers. */
export async function findAgentContainers(question: AgentContainersQuestion, tools: Tools): Promise<AgentContainers> {
  const { engine, answer } = await reachEngine(engineCandidates(question.dockerPath, tools), (candidate) =>
    agentContainersOn(candidate, question),
  );
  return { engine, containers: answer };
}

/** The running containers of agents that an engine has, by name. */
export async function agentContainersOn(
  engine: Engine,
  { workspace, agent }: Pick<AgentContainersQuestion, "workspace" | "agent">,
): Promise<readonly AgentContainerFound[]> {
  const folder = workspace === undefined ? undefined : realFolder(workspace);
  const filters = [
    ...["--filter", `label=${agent === undefined ? AGENT_LABEL : `${AGENT_LABEL}=${agent}`}`],
    ...(folder === undefined ? [] : labelFilter(AGENT_WORKSPACE_LABEL, folder)),
  ];
  const format = "{{.ID}}\t{{.Names}}\t{{.Image}}\t{{.Status}}";
  const { exitCode, stdout, stderr } = await engine.ask(["ps", "--no-trunc", ...filters, "--format", format]);
  if (exitCode !== 0) {
    // Tells an engine that does not answer from one without containers.
    await engine.inspectImages([]);
    throw new UserError(`Could not list agents' containers: ${stderr.trim()}.`);
  }
  const rows = rowsOf(stdout);
  const owners = await ownersOf(
    engine,
    rows.map(([id = ""]) => id),
  );
  const containers = rows.map(([id = "", name = "", image = "", status = ""]) => {
    const [of = "", workspaceFolder = ""] = owners.get(id) ?? [];
    return { id, name, image, status, agent: of, workspaceFolder };
  });
  const meant = containers.filter(({ workspaceFolder }) => folder === undefined || workspaceFolder === folder);
  return meant.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Agent and folder of containers, by id; of one that is gone meanwhile nothing. `ps` of Podman 4 does not tell single labels. */
async function ownersOf(engine: Engine, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const labels = [AGENT_LABEL, AGENT_WORKSPACE_LABEL].map((label) => `{{index .Config.Labels "${label}"}}`);
  const format = ["{{.Id}}", ...labels].join("\t");
  const { stdout } = await engine.ask(["inspect", "--type", "container", "--format", format, ...ids]);
  return new Map(rowsOf(stdout).map(([id = "", ...of]) => [id, of]));
}

function rowsOf(table: string): readonly (readonly string[])[] {
  return table
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

/** Runs a command in the container of this folder's agent; resolves to its exit code. Throws UserError unless exactly one runs. */
export async function execInAgent(
  request: ExecInAgentRequest,
  question: AgentContainersQuestion,
  tools: Tools,
): Promise<number> {
  const found = await findAgentContainers(question, tools);
  if (found.containers.length === 0) {
    const name = question.agent ?? "opencode";
    throw new UserError(`No agent runs in ${question.workspace}.`, { hint: `Start one: cooper ${name}` });
  }
  return execInFoundAgent(request, found, tools);
}

/** As `execInAgent`, for containers that were found. */
export async function execInFoundAgent(
  request: ExecInAgentRequest,
  { engine, containers }: AgentContainers,
  tools: Tools,
): Promise<number> {
  const [only, ...others] = containers;
  if (only === undefined || others.length > 0) {
    const names = containers.map(({ name, agent }) => `${name} (${agent})`).join(", ");
    throw new UserError(`Several agents run here: ${names}.`, {
      hint: "Name one: cooper exec --agent NAME; or end all but one: cooper agent stop",
    });
  }
  const mark = randomUUID();
  const command = execCommand(engine.path, {
    container: only.id,
    command: request.command === "login shell" ? LOGIN_SHELL : request.command,
    env: { ...request.env, [PROCESS_MARK]: mark },
    stdin: true,
    terminal: request.terminal || request.events !== undefined,
  });
  const stdio: Stdio = request.events === undefined ? { kind: "inherited" } : { kind: "terminal", ...request.events };
  const { exitCode, signal } = await tools.runProcess(command, { stdio, onOutput: (text) => tools.log.raw(text) });
  if (signal === undefined) return exitCode;
  await endRemoteProcesses({ enginePath: engine.path, container: only.id, user: undefined, mark }, tools);
  return 128 + constants.signals[signal];
}

/** Stops the containers of a folder's agents, which are gone then; tells which they were. */
export async function stopAgents(
  question: AgentContainersQuestion,
  tools: Tools,
): Promise<readonly AgentContainerFound[]> {
  const { engine, containers } = await findAgentContainers(question, tools);
  if (containers.length === 0) return [];
  await engine.run({ file: engine.path, args: ["stop", ...containers.map(({ id }) => id)], env: {} });
  return containers;
}

/** A folder as the labels of agents' containers name it: with links followed. */
export function realFolder(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : folder;
}
