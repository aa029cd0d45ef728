import { cpSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PlannedLayer } from "../assembly/plan-layers.ts";
import { INSTALL_SCRIPT, OPTIONS_FILE, renderInstallScript, renderOptionsFile } from "../dockerfile/install-script.ts";
import { FEATURES_FOLDER, folderName, stepCommand } from "../dockerfile/step-script.ts";
import { UserError } from "../errors.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import type { ExecutingStep, FeatureStep, ImageUsers } from "../plan/build-plan.ts";
import type { Command } from "../plan/command.ts";
import { SANDBOX_FOLDER, type SandboxRequest } from "../runtime/sandbox-request.ts";
import type { RunningStep } from "../runtime/step-progress.ts";
import type { Confidences } from "./native-secrets.ts";
import type { NativeSession, StoredLayer } from "./native-session.ts";

/** What every step of a build has. */
export interface StepContext {
  readonly session: NativeSession;
  readonly users: ImageUsers;
  readonly confidences: Confidences;
  readonly network: "host" | "none";
  readonly timeoutSeconds: number | undefined;
  /** Variables of this machine, such as its proxies: a step sees them, its layer does not depend on them. */
  readonly machineEnv: Readonly<Record<string, string>>;
  readonly epoch: number;
  /** The host's folder of a Feature's content. */
  readonly contentFolder: (step: FeatureStep) => string;
}

/** The variables of a process in an image that does not say otherwise. */
export const DEFAULT_ENV = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
} as const;

/** A step that ran and failed; its progress has what it said. */
export class FailedStep extends UserError {
  readonly command: Command;
  readonly exitCode: number;

  constructor(command: Command, exitCode: number) {
    super(`exit code: ${exitCode}`);
    this.command = command;
    this.exitCode = exitCode;
  }
}

/** Runs a step over layers, and packs what it changed: the new layer is in the store, and lies unpacked there too. */
export async function runNativeStep(
  step: ExecutingStep,
  place: {
    readonly planned: PlannedLayer;
    /** Bottom first. */
    readonly below: readonly StoredLayer[];
    readonly running: RunningStep;
  },
  context: StepContext,
): Promise<NewLayer> {
  const { session, timeoutSeconds } = context;
  const { planned, below, running } = place;
  const layers = await session.unpack(below);
  const folder = session.newFolder();
  mkdirSync(folder, { recursive: true });
  const started = Date.now();
  const request = sandboxRequest(step, { planned, layers, folder }, context);
  const { exitCode, made } = await session.sandbox.run(
    { folder, request, timeoutSeconds },
    { onOutput: running.output },
  );
  if (exitCode !== 0) throw new FailedStep(stepCommand(step), exitCode);
  return packStep({ folder, layers, started, made, running }, context);
}

async function packStep(
  {
    folder,
    layers,
    started,
    made,
    running,
  }: {
    readonly folder: string;
    readonly layers: readonly string[];
    readonly started: number;
    readonly made: readonly string[];
    readonly running: RunningStep;
  },
  { session, epoch }: StepContext,
): Promise<NewLayer> {
  const { store, worker } = session;
  const upper = join(folder, SANDBOX_FOLDER.upper);
  const output = join(folder, "layer");
  const packing = { folder: upper, made: [...made], lowers: [...layers], output, started, epoch };
  const { layer, leftOut } = await worker.pack(packing);
  for (const path of leftOut) running.output(`The socket /${path} is not in the image.\n`);
  const blob = store.blobPath(layer.descriptor.digest);
  mkdirSync(dirname(blob), { recursive: true });
  renameSync(output, blob);
  await worker.place(upper, store.layerPath(layer.diffId));
  return layer;
}

function sandboxRequest(
  step: ExecutingStep,
  place: { readonly planned: PlannedLayer; readonly layers: readonly string[]; readonly folder: string },
  context: StepContext,
): Omit<SandboxRequest, "fuseOverlayfs"> {
  const { planned, layers, folder } = place;
  const { confidences, network, machineEnv } = context;
  const content = step.kind === "feature" ? [writeFeature(step, folder, context)] : [];
  const { file, args } = stepCommand(step);
  const env = { ...DEFAULT_ENV, ...machineEnv, ...planned.env, ...confidences.env };
  return {
    layers: [...layers],
    argv: [file, ...args],
    env,
    cwd: planned.workingDirectory === "" ? "/" : planned.workingDirectory,
    user: { uid: 0, gid: 0, groups: [] },
    binds: [...content, ...confidences.binds],
    kept: [],
    secrets: confidences.secrets,
    network,
    stdio: "output",
  };
}

/** A Feature's content with its wrapper, for this step alone: it may write there. */
function writeFeature(step: FeatureStep, folder: string, { users, contentFolder }: StepContext) {
  const source = join(folder, "feature");
  cpSync(contentFolder(step), source, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(source, OPTIONS_FILE), renderOptionsFile(step), { mode: 0o644 });
  writeFileSync(join(source, INSTALL_SCRIPT), renderInstallScript(step, users), { mode: 0o755 });
  return { source, target: `${FEATURES_FOLDER}/${folderName(step)}`, readOnly: false };
}
