import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import type { ProcessResult, Stdio } from "../host/spawn.ts";
import { createEngine } from "../runtime/engine.ts";
import { vanishedContainer } from "../runtime/exec-failure.ts";
import { readContainerMetadata } from "./container-metadata.ts";
import { type ContainerSession, openSession, sessionCommand } from "./container-session.ts";
import { endRemoteProcesses, PROCESS_MARK } from "./end-remote-processes.ts";
import { inspectContainers } from "./find-container.ts";
import { type ContainerTarget, type LocatedContainer, locateRunningContainer } from "./locate-running-container.ts";
import type { UserEnvProbe } from "./probe-environment.ts";
import type { Tools } from "./tools.ts";

/** What `exec` and `shell` are asked for. */
export interface ExecRequest {
  readonly target: ContainerTarget;
  /** Argument vector, or the user's login shell. */
  readonly command: readonly string[] | "login shell";
  readonly defaultUserEnvProbe: UserEnvProbe;
  /** `--remote-env`. */
  readonly remoteEnv: Readonly<Record<string, string>>;
  readonly containerSystemDataFolder: string | undefined;
  readonly containerSessionDataFolder: string | undefined;
  /** Whether stdin and stdout are a terminal. */
  readonly terminal: boolean;
  /** Output as events of the log, from a terminal of this size, instead of on stdout and stderr. */
  readonly events: { readonly columns: number; readonly rows: number } | undefined;
}

/** Runs a command in the workspace's container as the remote user, connected to our stdin, stdout and stderr; resolves to its exit code. */
export async function execInContainer(request: ExecRequest, tools: Tools): Promise<number> {
  const located = await locateRunningContainer(request.target, tools);
  const session = await openSession(located.known, sessionWishes(request, located, tools), tools);
  const words = request.command === "login shell" ? [session.account.shell, "-l"] : request.command;
  const mark = randomUUID();
  const command = sessionCommand(session, {
    command: words,
    stdin: true,
    terminal: request.terminal || request.events !== undefined,
    env: { [PROCESS_MARK]: mark, ...terminalKind(request, tools) },
  });
  tools.log.debug(`Run in container: ${words.join(" ")}`);
  const stdio: Stdio = request.events === undefined ? { kind: "inherited" } : { kind: "terminal", ...request.events };
  const result = await tools.runProcess(command, { stdio, onOutput: (text) => tools.log.raw(text) });
  if (result.signal !== undefined) {
    await endRemoteProcesses({ ...placeOf(session), user: session.user.spec, mark }, tools);
    return 128 + constants.signals[result.signal];
  }
  await explainLostContainer(result, session, tools);
  return result.exitCode;
}

function sessionWishes(request: ExecRequest, located: LocatedContainer, tools: Tools) {
  const { configuration, idLabels, known } = located;
  const { merged } = readContainerMetadata(known.container, { configuration, idLabels }, tools);
  // Without a workspace only the configuration's own words say where one would be.
  const workspaceFolder =
    request.target.workspaceFolder === undefined
      ? configuration?.config.workspaceFolder
      : configuration?.workspace.workspaceFolder;
  return {
    merged,
    workspaceFolder,
    defaultUserEnvProbe: request.defaultUserEnvProbe,
    remoteEnv: request.remoteEnv,
    containerSystemDataFolder: request.containerSystemDataFolder,
    containerSessionDataFolder: request.containerSessionDataFolder,
  };
}

/** Engines say `xterm` whatever the terminal is; what every image's terminfo knows with more colours is passed on. */
function terminalKind({ terminal }: ExecRequest, { environment }: Tools): Readonly<Record<string, string>> {
  const kind = environment["TERM"] ?? "";
  return terminal && /^(?:xterm|screen|tmux)-256color$/.test(kind) ? { TERM: kind } : {};
}

/** Throws UserError when the engine's client failed because there is no running container any more, not the command in it. */
async function explainLostContainer(
  { exitCode }: ProcessResult,
  session: ContainerSession,
  tools: Tools,
): Promise<void> {
  if (![1, 125, 126, 137, 255].includes(exitCode)) return;
  const { enginePath, container } = placeOf(session);
  const [details] = await inspectContainers(createEngine(enginePath, tools.runProcess), [container]);
  if (details === undefined) throw vanishedContainer(container, "was removed while the command ran or was about to");
  if (details.startedAt !== session.known.container.startedAt || details.status !== "running") {
    throw vanishedContainer(container, `was stopped while the command ran or was about to: it is ${details.status}`);
  }
}

function placeOf(session: ContainerSession) {
  return { enginePath: session.known.enginePath, container: session.known.container.id };
}
