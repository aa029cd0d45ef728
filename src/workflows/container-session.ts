import type { IdLabels } from "../devcontainer/identity.ts";
import type { MergedMetadata } from "../devcontainer/merge.ts";
import { mergeRemoteEnvironment } from "../devcontainer/remote-environment.ts";
import { processIdentity, runsInContainer } from "../host/process-identity.ts";
import type { Command } from "../plan/command.ts";
import type { ContainerDetails } from "../runtime/container-details.ts";
import { execCommand } from "../runtime/exec-command.ts";
import { probeEnvironment, type UserEnvProbe } from "./probe-environment.ts";
import { type RememberedContainer, recallContainer, rememberContainer } from "./session-cache.ts";
import { type Account, homeVariable, type RemoteUser, remoteUserFor, surveyContainer } from "./survey-container.ts";
import type { Tools } from "./tools.ts";

/** A running container, and what is remembered of it; `update` remembers more. */
export interface KnownContainer {
  /** The client of the engine that it runs on. */
  readonly enginePath: string;
  readonly container: RememberedContainer["container"];
  readonly remembered: () => RememberedContainer;
  readonly update: (change: Partial<Pick<RememberedContainer, "accounts" | "environments" | "markers">>) => void;
}

/** A user at work in a running container. */
export interface ContainerSession {
  readonly known: KnownContainer;
  readonly user: RemoteUser;
  readonly account: Account;
  /** What the user's processes get beside the container's own environment, and what is taken from them. */
  readonly env: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** In the container; the home folder where there is no workspace. */
  readonly workingDirectory: string;
}

/** Who works in a container, where, and with which environment. */
export interface SessionWishes {
  readonly merged: Pick<MergedMetadata, "remoteUser" | "userEnvProbe" | "remoteEnv">;
  readonly defaultUserEnvProbe: UserEnvProbe;
  /** `--remote-env`. */
  readonly remoteEnv: Readonly<Record<string, string>>;
  /** The home folder when it is empty or undefined. */
  readonly workspaceFolder: string | undefined;
  readonly containerSystemDataFolder: string | undefined;
  readonly containerSessionDataFolder: string | undefined;
}

/** What is remembered of a running container that was just looked at; nothing of an earlier start of it counts. */
export function knowContainer(
  enginePath: string,
  found: { readonly details: ContainerDetails; readonly idLabels: IdLabels },
  tools: Tools,
): KnownContainer {
  const { details } = found;
  const engine = engineIdentity(enginePath, tools);
  const recalled = recallContainer(details.id, tools);
  const isCurrent = recalled?.engine === engine && recalled.container.startedAt === details.startedAt;
  const { id, name, created, startedAt, user, env, labels } = details;
  const isHere = details.pid !== undefined && runsInContainer(details.pid, id);
  const process = isHere && details.pid !== undefined ? (processIdentity(details.pid) ?? null) : null;
  const { accounts, environments, markers } = isCurrent ? recalled : { accounts: {}, environments: {}, markers: {} };
  const container = { id, name, created, startedAt, user, env: { ...env }, labels: { ...labels } };
  return createKnown(
    enginePath,
    { version: 1, engine, container, process, accounts, environments, markers },
    { idLabels: found.idLabels, tools },
  );
}

/** The container, when it is on this machine's engine and its main process is still the one that it was when it was remembered. */
export function knowIfAlive(
  enginePath: string,
  remembered: RememberedContainer,
  tools: Tools,
): KnownContainer | undefined {
  const pid = Number(remembered.process?.split(" ")[1]);
  if (remembered.process === null || remembered.engine !== engineIdentity(enginePath, tools)) return undefined;
  if (processIdentity(pid) !== remembered.process) return undefined;
  return createKnown(enginePath, remembered, { idLabels: {}, tools });
}

function createKnown(
  enginePath: string,
  first: RememberedContainer,
  { idLabels, tools }: { readonly idLabels: IdLabels; readonly tools: Tools },
): KnownContainer {
  let remembered = first;
  return {
    enginePath,
    container: first.container,
    remembered: () => remembered,
    update: (change) => {
      remembered = { ...remembered, ...change };
      rememberContainer(remembered, idLabels, tools);
    },
  };
}

/** Which daemon a client talks to, as far as the environment decides it. */
function engineIdentity(enginePath: string, { environment }: Tools): string {
  const names = ["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "CONTAINER_CONNECTION"];
  return [enginePath, ...names.map((name) => environment[name] ?? "")].join(" ");
}

/** Finds out, once per start of the container, who the user is and what their shell sets up. */
export async function openSession(
  known: KnownContainer,
  wishes: SessionWishes,
  tools: Tools,
): Promise<ContainerSession> {
  const { merged, workspaceFolder } = wishes;
  const user = remoteUserFor(merged.remoteUser, known.container.user);
  const account = await accountOf(user, { known, wishes }, tools);
  const remote = mergeRemoteEnvironment({
    containerEnv: known.container.env,
    probed: {
      ...homeVariable(account, known.container.env),
      ...(await environmentOf({ user, account }, { known, wishes }, tools)),
    },
    flags: wishes.remoteEnv,
    remoteEnv: merged.remoteEnv,
  });
  return { known, user, account, ...remote, workingDirectory: workspaceFolder || account.home };
}

interface SessionParts {
  readonly known: KnownContainer;
  readonly wishes: SessionWishes;
}

async function accountOf(user: RemoteUser, { known, wishes }: SessionParts, tools: Tools): Promise<Account> {
  const remembered = known.remembered().accounts[user.name];
  if (remembered !== undefined) return remembered;
  const { enginePath, container } = known;
  const survey = { enginePath, container, systemDataFolder: wishes.containerSystemDataFolder };
  const account = await surveyContainer(survey, user, tools);
  known.update({ accounts: { ...known.remembered().accounts, [user.name]: account } });
  return account;
}

async function environmentOf(
  who: { readonly user: RemoteUser; readonly account: Account },
  { known, wishes }: SessionParts,
  tools: Tools,
): Promise<Readonly<Record<string, string>>> {
  const kind = wishes.merged.userEnvProbe ?? wishes.defaultUserEnvProbe;
  if (kind === "none") return {};
  const key = `${who.user.spec} ${kind}`;
  const remembered = known.remembered().environments[key];
  if (remembered !== undefined) return remembered;
  const { enginePath, container } = known;
  const sessionDataFolder = wishes.containerSessionDataFolder;
  const found = await probeEnvironment({ enginePath, container, ...who, kind, sessionDataFolder }, tools);
  if (found === undefined) return {};
  known.update({ environments: { ...known.remembered().environments, [key]: { ...found } } });
  return found;
}

/** One process of a session. */
export interface SessionProcess {
  readonly command: readonly string[];
  /** Added to the session's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly secretEnv?: Readonly<Record<string, string>>;
  readonly stdin?: boolean;
  readonly terminal?: boolean;
  /** The session's when undefined. */
  readonly workingDirectory?: string;
}

/** The command that runs a process as the session's user, in its folder, with its environment. */
export function sessionCommand(session: ContainerSession, process: SessionProcess): Command {
  return execCommand(session.known.enginePath, {
    container: session.known.container.id,
    user: session.user.spec,
    workingDirectory: process.workingDirectory ?? session.workingDirectory,
    env: { ...session.env, ...process.env },
    secretEnv: process.secretEnv,
    unset: session.unset,
    stdin: process.stdin ?? false,
    terminal: process.terminal ?? false,
    command: process.command,
  });
}
