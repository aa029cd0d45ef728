import type { AgentUser } from "../agent/agent-user.ts";
import type { Agent } from "../agent/agents.ts";
import { dataVolumesOf, VOLUMES_LABEL } from "../agent/data-volumes.ts";
import { decideNetwork } from "../agent/decide-network.ts";
import { AGENT_LABEL, AGENT_VERSION_LABEL } from "../agent/image-name.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { parentsOf } from "../oci/layer-tree.ts";
import type { AgentContainer, AgentMount, EnvFile } from "./agent-container.ts";

/** The label with the folder of the host that an agent's container works in. */
export const AGENT_WORKSPACE_LABEL = "dev.cooper.agent.workspace";

/** What was found out for an agent's container; paths of the host absolute, links followed. */
export interface AgentContainerInput {
  readonly agent: Agent;
  readonly version: string;
  readonly image: string;
  readonly user: AgentUser;
  readonly settings: AgentSettings;
  readonly workspace: string;
  /** Where the workspace is in the container. */
  readonly target: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly configFolder: string;
  readonly rgignore: string | undefined;
  readonly envFiles: readonly EnvFile[];
  /** Of the workspace, relative to it. */
  readonly forbidden: readonly GuardedPath[];
  /** What of the workspace may be read and not changed, relative to it. */
  readonly guarded: readonly GuardedPath[];
  /** What the data volumes' names begin with; undefined for none. */
  readonly volumes: string | undefined;
  readonly host: {
    readonly engine: "docker" | "podman";
    readonly linux: boolean;
    readonly rootless: boolean;
    readonly init: boolean;
    readonly terminal: boolean;
    readonly localtime: boolean;
    /** Whether slirp4netns is installed. */
    readonly slirp: boolean;
    /** Names of the caller's variables. */
    readonly environment: readonly string[];
  };
  readonly words: readonly string[];
}

/** A path of the workspace and what it is. */
export interface GuardedPath {
  readonly path: string;
  readonly kind: "file" | "directory";
}

const TEMPORARY = "/workspace/tmp";

/** Decides the container that an agent works in: nothing of the host but what is named here is in it. */
export function planAgentContainer(input: AgentContainerInput): AgentContainer {
  const { agent, settings, user, host } = input;
  const wanted = new Set([...agent.providerKeys, ...(settings.env_passthrough ?? [])]);
  return {
    name: input.name,
    image: input.image,
    user: `${user.uid}:${user.gid}`,
    keepsId: host.engine === "podman" && host.rootless && user.uid !== 0,
    init: host.init,
    terminal: host.terminal,
    labelled: host.engine === "docker" || !host.linux,
    handsInProxies: host.engine === "podman",
    listsFiles: host.engine === "podman",
    labelsVolumes: host.engine === "docker",
    workingDirectory: input.target,
    mounts: mountsOf(input),
    env: {
      HOME: user.home,
      USER: user.name,
      TERM: "xterm-256color",
      COLORTERM: "truecolor",
      ...(host.terminal ? { FORCE_COLOR: "1" } : {}),
      TMPDIR: TEMPORARY,
      TZ: settings.timezone ?? "UTC",
    },
    passedEnv: host.environment.filter((name) => wanted.has(name)).toSorted(),
    envFiles: input.envFiles,
    ...decideNetwork(settings, host),
    port: input.port,
    readOnlyRoot: settings.read_only === true,
    memory: settings.memory ?? "1024m",
    cpus: settings.cpus ?? 1,
    pidsLimit: settings.pids_limit ?? 100,
    labels: {
      [AGENT_LABEL]: agent.name,
      [AGENT_VERSION_LABEL]: input.version,
      [AGENT_WORKSPACE_LABEL]: input.workspace,
    },
    command: [agent.name, ...input.words],
  };
}

/** In the order that they cover each other. */
function mountsOf(input: AgentContainerInput): AgentMount[] {
  const { agent, user, settings, workspace, target } = input;
  const bind = (source: string, place: string, readOnly: boolean): AgentMount => ({
    kind: "bind",
    source,
    target: place,
    readOnly,
  });
  return [
    temporary("/tmp", settings.tmp_size),
    temporary(TEMPORARY, settings.workspace_tmp_size),
    // Podman makes these of its own accord, without a limit.
    ...(settings.read_only === true ? ["/run", "/var/tmp"].map((path) => temporary(path, settings.tmp_size)) : []),
    ...volumeMounts(input),
    bind(input.configFolder, `${user.home}/${agent.configFolder}`, false),
    ...(input.host.localtime ? [bind("/etc/localtime", "/etc/localtime", true)] : []),
    bind(workspace, target, false),
    ...guardMounts(input).map(({ path, readOnly }) => bind(`${workspace}/${path}`, `${target}/${path}`, readOnly)),
    ...(input.rgignore === undefined ? [] : [bind(input.rgignore, `${user.home}/.rgignore`, true)]),
    ...input.forbidden.map((path) => shadow(path, input)),
  ];
}

/** Labelled with the project whose data they hold, and the folder that they were made for. */
function volumeMounts({ volumes, user, workspace }: AgentContainerInput): AgentMount[] {
  if (volumes === undefined) return [];
  const labels = { [VOLUMES_LABEL]: volumes, [AGENT_WORKSPACE_LABEL]: workspace };
  return dataVolumesOf(volumes).map(({ name, folder }) => ({
    kind: "volume",
    source: name,
    target: `${user.home}/${folder}`,
    labels,
  }));
}

/** What is guarded, and the folders around it: a mount cannot be moved away, so that nothing is put in its place. */
function guardMounts({ guarded, forbidden }: AgentContainerInput): { path: string; readOnly: boolean }[] {
  const isBelow = (path: string, folders: readonly { readonly path: string }[]) =>
    folders.some((folder) => path === folder.path || path.startsWith(`${folder.path}/`));
  // What is not there inside needs no guard, and nothing can be mounted in it.
  const reachable = guarded.filter(({ path }) => !isBelow(path, forbidden));
  const around = new Set(reachable.flatMap(({ path }) => parentsOf(`/${path}`)).map((path) => path.slice(1)));
  const folders = [...around].filter((path) => !isBelow(path, reachable));
  const mounts = [
    ...folders.map((path) => ({ path, readOnly: false })),
    ...reachable.map(({ path }) => ({ path, readOnly: true })),
  ];
  return mounts.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function temporary(target: string, size: string | null): AgentMount {
  // Open to all: nobody else is in there, and not every engine can give it to somebody.
  return { kind: "tmpfs", target, options: ["rw", "exec", "nosuid", "nodev", `size=${size ?? "500m"}`, "mode=1777"] };
}

function shadow({ path, kind }: GuardedPath, { target, host }: AgentContainerInput): AgentMount {
  const place = `${target}/${path}`;
  if (kind === "file") return { kind: "bind", source: "/dev/null", target: place, readOnly: true };
  // Podman would fill it with what it is to hide.
  const empty = host.engine === "podman" ? ["notmpcopyup"] : [];
  const options = ["ro", "noexec", "nosuid", "nodev", "size=1k", "mode=000", ...empty];
  return { kind: "tmpfs", target: place, options };
}
