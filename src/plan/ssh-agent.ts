import { isAbsolute } from "node:path/posix";
import { mountField } from "../devcontainer/workspace-mount.ts";
import { UserError } from "../errors.ts";

/** What decides whether and how the user's SSH agent can be had in a container. */
export interface SshAgentFacts {
  /** SSH_AUTH_SOCK of the user's environment. */
  readonly socket: string | undefined;
  readonly isSocket: (path: string) => boolean;
  /** As Node.js names it. */
  readonly platform: string;
  readonly engine: "docker" | "podman";
  /** Whether the engine says that it runs in Docker Desktop's virtual machine. */
  readonly desktop: boolean;
  /** The machine that the engine is on, when it is another. */
  readonly remoteHost: string | undefined;
}

/** What a container is made with to have the agent: a value of `--mount`, and variables. */
export interface SshAgentForwarding {
  readonly mount: string;
  readonly env: { readonly SSH_AUTH_SOCK: string };
}

/** Where the agent is in a container; Docker Desktop has its own there on the engine's side. */
export const SSH_AGENT_SOCKET = "/run/host-services/ssh-auth.sock";

/**
 * The agent of `--ssh-agent` for a container that is to be made. An engine on this Linux machine mounts the agent's socket; one in Docker
 * Desktop's virtual machine, or another that does as it does, mounts the socket which that passes on. Throws UserError when there is
 * no agent, or no way for it.
 */
export function planSshAgent(facts: SshAgentFacts): SshAgentForwarding {
  const source = agentSource(facts);
  const fields = ["type=bind", mountField("source", source), mountField("target", SSH_AGENT_SOCKET)];
  return { mount: fields.join(","), env: { SSH_AUTH_SOCK: SSH_AGENT_SOCKET } };
}

/**
 * The variables of `--ssh-agent` for a process in a container that exists. Throws UserError when it was made without the agent, or
 * when the agent that it was made with is not there any more.
 */
export function sshAgentOf(
  container: { readonly mounts: readonly { readonly source: string; readonly target: string }[] },
  isSocket: (path: string) => boolean,
): SshAgentForwarding["env"] {
  const mount = container.mounts.find(({ target }) => target === SSH_AGENT_SOCKET);
  if (mount === undefined) {
    throw new UserError("The container has no SSH agent: it was made without --ssh-agent.", {
      hint: "Make it again with cooper up --ssh-agent --remove-existing-container.",
    });
  }
  if (mount.source !== SSH_AGENT_SOCKET && !isSocket(mount.source)) {
    throw new UserError(`The SSH agent that the container was made with is gone: nothing listens at ${mount.source}.`, {
      hint: "Make the container again with cooper up --ssh-agent --remove-existing-container. An agent with a lasting address (ssh-agent -a ~/.ssh/agent.sock) spares that.",
    });
  }
  return { SSH_AUTH_SOCK: SSH_AGENT_SOCKET };
}

function agentSource({ socket, isSocket, platform, engine, desktop, remoteHost }: SshAgentFacts): string {
  if (remoteHost !== undefined) {
    throw refusal(`the engine is on another machine (${remoteHost})`, "Use an engine of this machine.");
  }
  if (engine === "docker" && (desktop || platform === "darwin")) return SSH_AGENT_SOCKET;
  if (platform !== "linux") {
    throw refusal(
      `${engine} runs in a virtual machine that passes no sockets on`,
      "Use Docker Desktop, OrbStack or Colima, or an engine on Linux.",
    );
  }
  if (socket === undefined || socket === "") {
    throw refusal("SSH_AUTH_SOCK is not set", 'Start an agent and add a key: eval "$(ssh-agent)" && ssh-add');
  }
  if (!isAbsolute(socket)) {
    throw refusal(
      `SSH_AUTH_SOCK is ${JSON.stringify(socket)}; wanted an absolute path`,
      "Set it to the agent's socket.",
    );
  }
  if (!isSocket(socket)) {
    throw refusal(
      `there is no socket at ${socket}, which SSH_AUTH_SOCK names`,
      'The agent has ended, or belongs to another session: eval "$(ssh-agent)" && ssh-add',
    );
  }
  return socket;
}

function refusal(found: string, hint: string): UserError {
  return new UserError(`The SSH agent cannot be forwarded: ${found}.`, { hint });
}
