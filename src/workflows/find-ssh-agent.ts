import { statSync } from "node:fs";
import type { Mount } from "../devcontainer/schema.ts";
import { planSshAgent } from "../plan/ssh-agent.ts";
import type { Engine } from "../runtime/engine.ts";
import { remoteEngineHost } from "../runtime/remote-engine.ts";
import type { Tools } from "./tools.ts";

/** What a new container gets for `--ssh-agent`, nothing where it was not asked for. */
export interface SshAgentParts {
  readonly mounts: readonly Mount[];
  readonly env: Readonly<Record<string, string>>;
}

/** Finds the user's SSH agent for a container that is to be made; throws UserError when there is none or it cannot be handed in. */
export async function findSshAgent(
  wanted: boolean,
  { engine, kind }: { readonly engine: Engine; readonly kind: "docker" | "podman" },
  tools: Tools,
): Promise<SshAgentParts> {
  if (!wanted) return { mounts: [], env: {} };
  const system = kind === "docker" ? (await engine.ask(["info", "-f", "{{.OperatingSystem}}"])).stdout : "";
  const { mount, env } = planSshAgent({
    socket: tools.environment["SSH_AUTH_SOCK"],
    isSocket: (path) => statSync(path, { throwIfNoEntry: false })?.isSocket() === true,
    platform: process.platform,
    engine: kind,
    desktop: system.includes("Docker Desktop"),
    remoteHost: remoteEngineHost(tools.environment),
  });
  return { mounts: [mount], env };
}
