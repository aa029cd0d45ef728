import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { planSshAgent, SSH_AGENT_SOCKET, type SshAgentFacts, sshAgentOf } from "../../src/plan/ssh-agent.ts";

const linux: SshAgentFacts = {
  socket: "/tmp/ssh-abc/agent.1",
  isSocket: (path) => path === "/tmp/ssh-abc/agent.1",
  platform: "linux",
  engine: "docker",
  desktop: false,
  remoteHost: undefined,
};

function refusal(facts: Partial<SshAgentFacts>): string {
  try {
    planSshAgent({ ...linux, ...facts });
  } catch (error) {
    if (error instanceof UserError && error.hint !== undefined) return error.message;
  }
  throw new Error("it was not refused");
}

test("an engine on this Linux machine mounts the agent's own socket", () => {
  for (const engine of ["docker", "podman"] as const) {
    expect(planSshAgent({ ...linux, engine })).toEqual({
      mount: "type=bind,source=/tmp/ssh-abc/agent.1,target=/run/host-services/ssh-auth.sock",
      env: { SSH_AUTH_SOCK: "/run/host-services/ssh-auth.sock" },
    });
  }
});

test("a path with a comma stays one field", () => {
  expect(planSshAgent({ ...linux, socket: "/tmp/a,b", isSocket: () => true }).mount).toBe(
    'type=bind,"source=/tmp/a,b",target=/run/host-services/ssh-auth.sock',
  );
});

test("a virtual machine that passes the agent on mounts what it passes on, whatever the host's socket is", () => {
  const mount = "type=bind,source=/run/host-services/ssh-auth.sock,target=/run/host-services/ssh-auth.sock";
  expect(planSshAgent({ ...linux, desktop: true, socket: undefined }).mount).toBe(mount);
  expect(planSshAgent({ ...linux, platform: "darwin", socket: "/private/tmp/x", isSocket: () => false }).mount).toBe(
    mount,
  );
});

test("without an agent, or without a way to it, that is what is said", () => {
  const lead = "The SSH agent cannot be forwarded: ";
  expect(refusal({ socket: undefined })).toBe(`${lead}SSH_AUTH_SOCK is not set.`);
  expect(refusal({ socket: "" })).toBe(`${lead}SSH_AUTH_SOCK is not set.`);
  expect(refusal({ socket: "agent.1" })).toBe(`${lead}SSH_AUTH_SOCK is "agent.1"; wanted an absolute path.`);
  expect(refusal({ isSocket: () => false })).toBe(
    `${lead}there is no socket at /tmp/ssh-abc/agent.1, which SSH_AUTH_SOCK names.`,
  );
  expect(refusal({ remoteHost: "build.example" })).toBe(`${lead}the engine is on another machine (build.example).`);
  expect(refusal({ engine: "podman", platform: "darwin" })).toBe(
    `${lead}podman runs in a virtual machine that passes no sockets on.`,
  );
});

test("a process in a container that has the agent is told where it is", () => {
  const mounts = [{ source: "/tmp/ssh-abc/agent.1", target: SSH_AGENT_SOCKET }];
  expect(sshAgentOf({ mounts }, linux.isSocket)).toEqual({ SSH_AUTH_SOCK: SSH_AGENT_SOCKET });
  const passedOn = [{ source: SSH_AGENT_SOCKET, target: SSH_AGENT_SOCKET }];
  expect(sshAgentOf({ mounts: passedOn }, () => false)).toEqual({ SSH_AUTH_SOCK: SSH_AGENT_SOCKET });
});

test("one that was made without it, or whose agent is gone, is told apart", () => {
  expect(() => sshAgentOf({ mounts: [{ source: "/src", target: "/workspaces/a" }] }, linux.isSocket)).toThrow(
    "The container has no SSH agent: it was made without --ssh-agent.",
  );
  const mounts = [{ source: "/tmp/ssh-old/agent.9", target: SSH_AGENT_SOCKET }];
  expect(() => sshAgentOf({ mounts }, linux.isSocket)).toThrow(
    "The SSH agent that the container was made with is gone: nothing listens at /tmp/ssh-old/agent.9.",
  );
});
