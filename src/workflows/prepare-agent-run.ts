import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Agent } from "../agent/agents.ts";
import { dataVolumesOf } from "../agent/data-volumes.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { configFolderKey } from "../agent/settings-table.ts";
import { containerNamePart, containerWorkspace, workspacePort } from "../agent/workspace-place.ts";
import { UserError } from "../errors.ts";
import { isPortFree } from "../host/listen.ts";
import type { AgentContainer } from "../plan/agent-container.ts";
import { planAgentContainer } from "../plan/plan-agent-container.ts";
import type { Engine } from "../runtime/engine.ts";
import { engineKindOf } from "../runtime/local-image.ts";
import { findEnvFiles, guardedEnvFiles } from "./agent-env-files.ts";
import { agentWorkspace, dataVolumes, forbiddenPaths } from "./agent-workspace.ts";
import { type BuildShow, realizeBuild } from "./build-image.ts";
import { plainBuildRequest } from "./build-request.ts";
import { findGuards, type Guard } from "./find-guards.ts";
import { expandHome, isHeld, loadAgentSettings } from "./load-agent-settings.ts";
import { engineCandidates } from "./open-engine.ts";
import { type PreparedAgentImage, prepareAgentImage } from "./prepare-agent-image.ts";
import type { Tools } from "./tools.ts";

/** An agent that is to be run, with the words that are its own. */
export interface AgentRunRequest {
  readonly agent: Agent;
  readonly words: readonly string[];
  readonly terminal: boolean;
}

/** A container that is decided, with the engine to run it. */
export interface PreparedAgentRun {
  readonly container: AgentContainer;
  readonly engine: Engine;
  readonly workspace: string;
  /** What has to be placed before it runs. */
  readonly guards: readonly Guard[];
  /** Whether the engine said that it has the data volumes; false also where it was not asked. */
  readonly hasVolumes: Promise<boolean>;
}

/** Sees to the agent's image and decides its container; nothing runs yet. */
export async function prepareAgentRun(
  request: AgentRunRequest,
  show: BuildShow,
  tools: Tools,
): Promise<PreparedAgentRun> {
  const workspace = agentWorkspace(tools);
  const { settings } = loadAgentSettings(workspace, tools);
  // Before the image, which may take its time: what is wrong with the workspace is told at once.
  const forbidden = forbiddenPaths(workspace, settings);
  const volumes = dataVolumes(workspace, settings);
  const hasVolumes = askForVolumes(volumes, tools);
  const build = plainBuildRequest({ workspaceFolder: workspace, configPath: undefined });
  const wish = { build, agent: request.agent, settings, rebuildBase: false, force: false };
  const image = await prepareAgentImage(wish, show, tools);
  if (!image.prepared.upToDate) await realizeBuild({ prepared: image.prepared, show }, tools);
  const { guards, links } = findGuards(workspace);
  for (const link of links)
    tools.log.warning(`${join(workspace, link)} is a symlink, which an agent can replace with something else.`);
  const place = await findPlace(image, { workspace, settings }, tools);
  const container = planAgentContainer({
    ...place,
    agent: request.agent,
    version: image.version,
    image: image.prepared.tags[0] ?? "",
    user: image.user,
    settings,
    workspace,
    forbidden,
    guarded: [...guards, ...guardedEnvFiles(place.envFiles, { workspace, guards })],
    volumes,
    host: hostOf(image, request, tools),
    words: request.words,
  });
  return { container, engine: image.prepared.engine, workspace, guards, hasVolumes };
}

/** Asks Podman, whose `run` does not label the volumes that it makes, while it tells of the image: one after the other takes twice as long. */
async function askForVolumes(volumes: string | undefined, tools: Tools): Promise<boolean> {
  const [engine] = engineCandidates(undefined, tools);
  if (volumes === undefined || !basename(engine.path).startsWith("podman")) return false;
  const names = dataVolumesOf(volumes).map(({ name }) => name);
  try {
    return (await engine.ask(["volume", "inspect", ...names])).exitCode === 0;
  } catch {
    // The question about the image says what is wrong.
    return false;
  }
}

async function findPlace(
  { user, agent }: PreparedAgentImage,
  { workspace, settings }: { readonly workspace: string; readonly settings: AgentSettings },
  tools: Tools,
) {
  const hostHome = existsSync(tools.homeDirectory) ? realpathSync(tools.homeDirectory) : tools.homeDirectory;
  const number = await findPort(workspace, settings);
  const prefix = settings.container_name ?? `ocx-${containerNamePart(basename(workspace))}`;
  const configFolder = configFolderOf(agent, settings, tools);
  return {
    target: containerWorkspace(workspace, { hostHome, home: user.home }),
    name: `${prefix}-${number}`,
    port:
      settings.publish_port === true && settings.network !== "none" && settings.network !== "host" ? number : undefined,
    configFolder,
    rgignore: rgignoreOf(configFolder, { workspace, settings }, tools),
    envFiles: findEnvFiles(workspace, { settings, tools }),
  };
}

/** The configured port, which must be free, or the workspace's own, or the next that is free. */
async function findPort(workspace: string, settings: AgentSettings): Promise<number> {
  const { port } = settings;
  if (port !== null) {
    if (settings.publish_port !== true || (await isPortFree(port))) return port;
    throw new UserError(
      `Port ${port} of 127.0.0.1 is taken: another program listens there, perhaps an agent that still runs.`,
      {
        hint: "End it, set another port, or set publish_port to false.",
      },
    );
  }
  const own = workspacePort(workspace);
  for (let offset = 0; offset < 100; offset += 1) {
    const candidate = own + offset > 65535 ? own + offset - 32768 : own + offset;
    if (await isPortFree(candidate)) return candidate;
  }
  throw new UserError(`None of the hundred ports from ${own} on is free.`, {
    hint: "Set port, or publish_port to false.",
  });
}

/** The agent's configuration on this machine, made where it is absent. */
function configFolderOf(agent: Agent, settings: AgentSettings, tools: Tools): string {
  const home = tools.homeDirectory;
  const configured = settings[configFolderKey(agent.name)] ?? null;
  const path = expandHome(configured ?? join("~", agent.configFolder), { home, folder: home });
  mkdirSync(path, { recursive: true });
  return realpathSync(path);
}

function rgignoreOf(
  configFolder: string,
  { workspace, settings }: { readonly workspace: string; readonly settings: AgentSettings },
  tools: Tools,
): string | undefined {
  const { rgignore_file: configured } = settings;
  const home = tools.homeDirectory;
  const path =
    configured === null ? join(configFolder, ".rgignore") : expandHome(configured, { home, folder: workspace });
  return isFile(path) && (configured === null || isHeld(configured, workspace)) ? realpathSync(path) : undefined;
}

function hostOf(image: PreparedAgentImage, { terminal }: AgentRunRequest, tools: Tools) {
  const [seen] = image.prepared.source.images.values();
  const engine = engineKindOf(seen) ?? "docker";
  const linux = process.platform === "linux";
  return {
    engine,
    linux,
    rootless: process.getuid?.() !== 0,
    init: engine === "docker" ? true : !linux || INIT_PROGRAMS.some((path) => existsSync(path)),
    terminal,
    localtime: linux && isFile("/etc/localtime"),
    slirp: Bun.which("slirp4netns", { PATH: tools.environment["PATH"] ?? "" }) !== null,
    environment: Object.keys(tools.environment).filter((name) => (tools.environment[name] ?? "") !== ""),
  };
}

/** Where Podman looks for its init; without it, --init would fail. */
const INIT_PROGRAMS = [
  "/usr/libexec/podman/catatonit",
  "/usr/local/libexec/podman/catatonit",
  "/usr/lib/podman/catatonit",
  "/usr/bin/catatonit",
];

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
