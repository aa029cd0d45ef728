import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import { parseBuildSecret } from "../plan/build-secret.ts";
import type { SandboxRequest } from "../runtime/sandbox-request.ts";
import type { BuildRequest } from "./build-request.ts";
import type { Tools } from "./tools.ts";

/** What steps are let in on besides the image: none of it is in a layer or a key. */
export type Confidences = Pick<SandboxRequest, "secrets" | "binds"> & {
  readonly env: Readonly<Record<string, string>>;
};

/** Where BuildKit has an agent's socket. */
const AGENT_SOCKET = "/run/buildkit/ssh_agent.0";

/** The files, sockets and variables that `--secret` and `--ssh` ask for. Throws UserError for what is not there. */
export function readConfidences(request: Pick<BuildRequest, "secrets" | "ssh">, tools: Tools): Confidences {
  const { environment, workingDirectory } = tools;
  const secrets = request.secrets.map((text) => {
    const { id, source } = parseBuildSecret(text, (name) => environment[name] !== undefined);
    if (source.kind === "env") {
      if (environment[source.name] === undefined)
        throw new UserError(`The secret ${id}: the variable ${source.name} is not set.`);
      return { name: id, source };
    }
    const path = resolve(workingDirectory, source.path);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
      throw new UserError(`The secret ${id}: there is no file ${path}.`);
    return { name: id, source: { kind: "file" as const, path } };
  });
  const socket = agentSocket(request.ssh, tools);
  if (socket === undefined) return { secrets, binds: [], env: {} };
  return {
    secrets,
    binds: [{ source: socket, target: AGENT_SOCKET, readOnly: false }],
    env: { SSH_AUTH_SOCK: AGENT_SOCKET },
  };
}

function agentSocket(specs: readonly string[], { environment, workingDirectory }: Tools): string | undefined {
  const [spec, ...more] = specs;
  if (spec === undefined) return undefined;
  const [id = "", path = environment["SSH_AUTH_SOCK"] ?? ""] = spec.split("=", 2);
  if (more.length > 0 || (id !== "default" && id !== "")) {
    throw new UserError(`--ssh ${spec}: cooper's own engine takes one agent, by the name default.`);
  }
  if (path === "")
    throw new UserError("--ssh default: SSH_AUTH_SOCK is not set.", { hint: "Start an agent: eval $(ssh-agent)." });
  const socket = resolve(workingDirectory, path);
  if (statSync(socket, { throwIfNoEntry: false })?.isSocket() === true) return socket;
  throw new UserError(`--ssh ${id}: ${socket} is not the socket of an agent.`, {
    hint: "cooper's own engine takes an agent's socket; add the key to an agent with ssh-add.",
  });
}
