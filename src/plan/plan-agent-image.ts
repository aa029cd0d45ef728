import type { AgentUser } from "../agent/agent-user.ts";
import { AGENT_BASE_LABEL, AGENT_LABEL, AGENT_VERSION_LABEL } from "../agent/image-name.ts";
import { parentsOf } from "../oci/layer-tree.ts";
import { type BaseImage, type BuildPlan, type BuildStep, type CopyEntry, PLAN_VERSION } from "./build-plan.ts";

/** What an agent's image is planned from. */
export interface AgentImageInput {
  readonly base: BaseImage;
  /** How the base is named to users; it may be another name of the same image. */
  readonly baseName: string;
  readonly agent: {
    readonly name: string;
    readonly version: string;
    readonly variant: string;
    /** Names in the agent's folder, with the sha256 of their bytes and where they go. */
    readonly files: readonly {
      readonly name: string;
      readonly digest: string;
      readonly to: string;
      readonly mode: number;
    }[];
  };
  readonly user: AgentUser;
  /** Packages that the agent needs and the base lacks. */
  readonly packages: readonly string[];
}

/** Names the build content of the agent's files: the host's folder is given under it when the plan is realised. */
export const AGENT_FILES = "agent";

/** Folders of the home that programs expect to make files in, parents first. */
const HOME_FOLDERS = [".cache", ".config", ".local", ".local/share", ".local/state"];

/** The plan of an agent's image: its program, its user and what starts it, on a base. */
export function planAgentImage({ base, baseName, agent, user, packages }: AgentImageInput): BuildPlan {
  const steps: BuildStep[] = [
    ...(packages.length === 0 ? [] : [{ kind: "packages", manager: "apk", packages } as const]),
    {
      kind: "copy",
      folder: AGENT_FILES,
      title: `${agent.name} ${agent.version}`,
      entries: agentEntries(agent),
    },
    { kind: "copy", folder: "user", title: `the user ${user.name}`, entries: userEntries(user) },
    // The base's own would be started with the agent as its arguments.
    { kind: "config", entrypoint: [], command: [agent.name] },
    {
      kind: "label",
      labels: { [AGENT_LABEL]: agent.name, [AGENT_VERSION_LABEL]: agent.version, [AGENT_BASE_LABEL]: baseName },
    },
  ];
  const name = user.uid === 0 ? "root" : `${user.uid}:${user.gid}`;
  return {
    version: PLAN_VERSION,
    source: { kind: "image", base },
    platforms: [],
    users: { image: name, container: name, remote: name },
    steps,
  };
}

function agentEntries({ files }: AgentImageInput["agent"]): CopyEntry[] {
  // Every image has /usr/local/bin, or the builder makes it: its owner and mode stay the base's.
  const isOwn = (folder: string) => folder.startsWith("/usr/local/") && folder !== "/usr/local/bin";
  const folders = new Set(files.flatMap(({ to }) => parentsOf(to)).filter(isOwn));
  return [
    ...[...folders].map((path): CopyEntry => ({ path, uid: 0, gid: 0, content: { kind: "directory" } })),
    ...files.map(
      ({ name, digest, to, mode }): CopyEntry => ({
        path: to,
        uid: 0,
        gid: 0,
        content: { kind: "file", name, digest, mode },
      }),
    ),
  ];
}

function userEntries(user: AgentUser): CopyEntry[] {
  const { uid, gid, home, passwd, group } = user;
  const text = (path: string, content: string | undefined): CopyEntry[] =>
    content === undefined ? [] : [{ path, uid: 0, gid: 0, content: { kind: "text", text: content, mode: 0o644 } }];
  const folders = [home, ...HOME_FOLDERS.map((folder) => `${home}/${folder}`)];
  return [
    ...text("/etc/passwd", passwd),
    ...text("/etc/group", group),
    ...folders.map((path) => ({ path, uid, gid, content: { kind: "directory" } as const })),
  ];
}
