import { randomUUID } from "node:crypto";
import type { MetadataEntry } from "../devcontainer/metadata-label.ts";
import { mergePaths, readProbedEnvironment } from "../devcontainer/remote-environment.ts";
import { Interrupted } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { type ExecSpec, execCommand } from "../runtime/exec-command.ts";
import { endRemoteProcesses, PROCESS_MARK } from "./end-remote-processes.ts";
import { type Account, homeVariable, type RemoteUser } from "./survey-container.ts";
import type { Tools } from "./tools.ts";

/** Which of the user's start-up files set up the environment. */
export type UserEnvProbe = NonNullable<MetadataEntry["userEnvProbe"]>;

/** Whose environment is probed, and where. */
export interface Probe {
  readonly enginePath: string;
  readonly container: { readonly id: string; readonly env: Readonly<Record<string, string>> };
  readonly user: RemoteUser;
  readonly account: Account;
  readonly kind: Exclude<UserEnvProbe, "none">;
  /** In the container; the answer is kept there as well. */
  readonly sessionDataFolder: string | undefined;
}

const SLOW_MILLISECONDS = 2000;
const GIVE_UP_MILLISECONDS = 10_000;

/** The environment that the user's shell sets up; undefined when it could not be found out, which is said and keeps nobody waiting. */
export async function probeEnvironment(
  probe: Probe,
  tools: Tools,
): Promise<Readonly<Record<string, string>> | undefined> {
  const kept = await readKept(probe, tools);
  if (kept !== undefined) return kept;
  const output = await askShell(probe, tools);
  if (output === undefined) return undefined;
  const { [PROCESS_MARK]: _mark, ...found } = output;
  const shellPath = found["PATH"];
  const containerPath = probe.container.env["PATH"];
  const env =
    shellPath === undefined || containerPath === undefined || probe.account.profilePatched
      ? found
      : { ...found, PATH: mergePaths(shellPath, containerPath, probe.account.uid === 0) };
  await keep(probe, env, tools);
  return env;
}

async function askShell(probe: Probe, tools: Tools): Promise<Record<string, string> | undefined> {
  // Not one and the same: the variables between the marks have the other as a value.
  const [mark, processMark] = [randomUUID(), randomUUID()];
  const words = shellWords(probe.account.shell, probe.kind);
  const text = `printf %s ${mark}; cat /proc/self/environ || printenv; printf %s ${mark}`;
  const command = execCommand(probe.enginePath, {
    ...placeOf(probe),
    command: [probe.account.shell, ...words, text],
    env: { ...homeVariable(probe.account, probe.container.env), [PROCESS_MARK]: processMark },
  });
  const stop = tools.log.start(
    `Run in container: ${[probe.account.shell, ...words].join(" ")}, to probe the environment`,
  );
  const slow = setTimeout(
    () => tools.log.warning(`The shell's start-up files take long (userEnvProbe: ${probe.kind}); waiting up to 10 s.`),
    SLOW_MILLISECONDS,
  );
  try {
    const { stdout, stderr } = await tools.runProcess(command, { timeoutMilliseconds: GIVE_UP_MILLISECONDS });
    const found = readProbedEnvironment(stdout, mark);
    if (found === undefined) warnOfFailure(probe, stderr.trim().split("\n").at(-1) ?? "", tools);
    return found;
  } catch (error) {
    await endRemoteProcesses(
      { enginePath: probe.enginePath, container: probe.container.id, user: probe.user.spec, mark: processMark },
      tools,
    );
    if (error instanceof Interrupted) throw error;
    warnOfFailure(probe, "no answer within 10 s", tools);
    return undefined;
  } finally {
    clearTimeout(slow);
    stop();
  }
}

function warnOfFailure({ account, kind }: Probe, found: string, tools: Tools): void {
  tools.log.warning(
    `Could not find out the environment that ${account.shell} sets up (userEnvProbe: ${kind})${found === "" ? "" : `: ${found}`}. Going on without it; "userEnvProbe": "none" does not ask.`,
  );
}

/** The words that make a shell read the start-up files of this kind and run the text after them. */
function shellWords(shell: string, kind: Probe["kind"]): readonly string[] {
  const isPowerShell = /(?:^|\/)pwsh(?:-preview)?$/.test(shell);
  switch (kind) {
    case "loginInteractiveShell":
      return isPowerShell ? ["-Login", "-Command"] : ["-lic"];
    case "loginShell":
      return isPowerShell ? ["-Login", "-Command"] : ["-lc"];
    case "interactiveShell":
      return isPowerShell ? ["-Command"] : ["-ic"];
  }
}

function placeOf(probe: Probe): Pick<ExecSpec, "container" | "user"> {
  return { container: probe.container.id, user: probe.user.spec };
}

async function readKept(probe: Probe, tools: Tools): Promise<Readonly<Record<string, string>> | undefined> {
  if (probe.sessionDataFolder === undefined) return undefined;
  const file = `${probe.sessionDataFolder}/env-${probe.kind}.json`;
  const { exitCode, stdout } = await tools.runProcess(
    execCommand(probe.enginePath, { ...placeOf(probe), command: ["cat", file] }),
  );
  return exitCode === 0 ? readTexts(stdout) : undefined;
}

async function keep(probe: Probe, env: Readonly<Record<string, string>>, tools: Tools): Promise<void> {
  if (probe.sessionDataFolder === undefined) return;
  const script = 'umask 077; mkdir -p "$1" && cat >"$1/$2"';
  const words = [probe.sessionDataFolder, `env-${probe.kind}.json`];
  const command = execCommand(probe.enginePath, {
    ...placeOf(probe),
    stdin: true,
    command: ["/bin/sh", "-c", script, "sh", ...words],
  });
  const { exitCode, stderr } = await tools.runProcess(command, { stdin: JSON.stringify(env) });
  if (exitCode !== 0) tools.log.debug(`Could not keep the environment in ${words.join("/")}: ${stderr.trim()}`);
}

function readTexts(json: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (!isJsonObject(value)) return undefined;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])),
    );
  } catch {
    return undefined;
  }
}
