import { randomUUID } from "node:crypto";
import {
  failedText,
  type HookCommand,
  type HookMarker,
  type HookRun,
  type LifecyclePlan,
  type LifecycleResult,
  type LifecycleStep,
  runningText,
} from "../devcontainer/lifecycle.ts";
import { Interrupted, UserError } from "../errors.ts";
import { saysContainerVanished, vanishedContainer } from "../runtime/exec-failure.ts";
import { claimMarkers, markerFolder } from "./claim-markers.ts";
import { type ContainerSession, sessionCommand } from "./container-session.ts";
import { endRemoteProcesses, PROCESS_MARK } from "./end-remote-processes.ts";
import { installDotfiles } from "./install-dotfiles.ts";
import type { Secrets } from "./read-secrets.ts";
import { runAnnounced } from "./run-announced.ts";
import type { Tools } from "./tools.ts";
import type { DotfilesWishes } from "./up-request.ts";

/** In which container hooks run, and what they get. */
export interface HookPlace {
  readonly session: ContainerSession;
  readonly secrets: Secrets;
  /** `--container-data-folder`. */
  readonly containerDataFolder: string | undefined;
  readonly dotfiles: DotfilesWishes;
}

/**
 * Runs what is planned for a container: origins one after another, an origin's commands side by side. Throws UserError for the first
 * command that fails, once those beside it have ended; nothing after it runs. An interruption leaves no process in the container.
 */
export async function runHooks(plan: LifecyclePlan, place: HookPlace, tools: Tools): Promise<LifecycleResult> {
  const markers = { session: place.session, folder: markerFolder(place.session, place.containerDataFolder) };
  // What has a marker and nothing to run is written together with the next.
  let pending: HookMarker[] = [];
  for (const [index, step] of plan.steps.entries()) {
    if (step.kind === "dotfiles") {
      await installDotfiles(place.dotfiles, { ...place, folder: markers.folder }, tools);
      continue;
    }
    if (step.marker !== undefined) pending.push(step.marker);
    if (step.runs.length === 0) continue;
    const later = plan.steps.slice(index + 1);
    const isLast = !later.some((one) => hasWork(one, place));
    // Behind the last there is nothing that its failure could keep from running: one question less.
    if (isLast) pending.push(...later.flatMap((one) => (one.kind === "hook" ? (one.marker ?? []) : [])));
    const claimed = await claimMarkers(pending, markers, tools);
    pending = [];
    if (step.marker === undefined || step.again || claimed.includes(step.marker)) await runHook(step, place, tools);
    else tools.log.debug(`The ${step.hook} ran already.`);
    if (isLast) return plan.result;
  }
  await claimMarkers(pending, markers, tools);
  return plan.result;
}

function hasWork(step: LifecycleStep, { dotfiles }: HookPlace): boolean {
  return step.kind === "hook" ? step.runs.length > 0 : dotfiles.repository !== undefined;
}

async function runHook(step: Extract<LifecycleStep, { kind: "hook" }>, place: HookPlace, tools: Tools): Promise<void> {
  for (const run of step.runs) {
    const settled = await Promise.allSettled(run.commands.map((command) => runCommand(run, { command, place }, tools)));
    for (const result of settled) if (result.status === "rejected") throw result.reason;
  }
}

async function runCommand(
  run: HookRun,
  { command, place }: { readonly command: HookCommand; readonly place: HookPlace },
  tools: Tools,
): Promise<void> {
  const { session, secrets } = place;
  const mark = randomUUID();
  const toRun = sessionCommand(session, {
    command: command.argv,
    env: { [PROCESS_MARK]: mark },
    secretEnv: secrets.env,
  });
  const title = runningText(run, command);
  const announcement = { title, progress: `Running ${run.hook}...`, detail: command.argv.join(" ") };
  try {
    const { exitCode, tail } = await runAnnounced(toRun, announcement, tools);
    if (exitCode === 0) return;
    const vanished = saysContainerVanished(tail) || (exitCode > 125 && !(await stillRuns(session, tools)));
    throw hookFailure(run, { command, exitCode, tail: secrets.mask(tail), session, vanished });
  } catch (error) {
    if (error instanceof Interrupted) await endLeftovers(session, mark, tools);
    throw error;
  }
}

function endLeftovers(session: ContainerSession, mark: string, tools: Tools): Promise<void> {
  const { enginePath, container } = session.known;
  return endRemoteProcesses({ enginePath, container: container.id, user: session.user.spec, mark }, tools);
}

interface Failure {
  readonly command: HookCommand;
  readonly exitCode: number;
  readonly tail: string;
  readonly session: ContainerSession;
  readonly vanished: boolean;
}

/** Whoever stops or removes a container kills what runs in it, which by itself looks like a command that failed. */
async function stillRuns({ known }: ContainerSession, tools: Tools): Promise<boolean> {
  const args = ["inspect", "--type", "container", "--format", "{{.State.Running}}", known.container.id];
  const { stdout } = await tools.runProcess({ file: known.enginePath, args, env: {} });
  return stdout.trim() === "true";
}

function hookFailure(run: HookRun, { command, exitCode, tail, session, vanished }: Failure): UserError {
  const { id } = session.known.container;
  if (vanished) {
    return vanishedContainer(id, `was stopped or removed while the ${run.hook} from ${run.origin} ran or was about to`);
  }
  const what = command.name === undefined ? run.hook : `${command.name} of ${run.hook}`;
  return new UserError(
    `${what} from ${run.origin} failed with exit code ${exitCode}.${tail === "" ? "" : `\n${tail}`}`,
    { description: failedText(run) },
  );
}
