import { randomBytes } from "node:crypto";
import { existsSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { GATE_NAMES, type GateName, type GatesRequest } from "../profile/profile-request.ts";
import type { Gate, RepoProfile } from "../profile/repo-profile.ts";
import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { gateCommand } from "../runtime/gate-command.ts";
import { createBoundedLog } from "./bounded-log.ts";
import { engineCandidates } from "./open-engine.ts";
import { profileTag, type ReadProfile, readRequestedProfile } from "./prepare-profile.ts";
import { makeOwnFolder, writeArtifact } from "./profile-artifacts.ts";
import type { Tools } from "./tools.ts";

/** How one run of a gate ended. */
export interface GateResult {
  readonly gate: GateName;
  readonly repeat: number;
  readonly cmd: string;
  readonly status: "passed" | "failed" | "timed_out";
  /** Null for a gate that ran out of time. */
  readonly exit_code: number | null;
  readonly timeout_sec: number;
  readonly duration_ms: number;
  /** The last of what it printed. */
  readonly log: string;
  readonly log_bytes: number;
  readonly log_truncated: boolean;
}

/** How a profile's gates ended. */
export interface GatesResult {
  readonly run_id: string;
  readonly profile_id: string;
  readonly image_tag: string;
  readonly passed: boolean;
  readonly gates: readonly GateResult[];
}

/** As `GatesResult`, with the file that it is written to. */
export type WrittenGatesResult = GatesResult & { readonly result_path: string };

const DEFAULT_TIMEOUTS: Readonly<Record<GateName, number>> = { test: 1200, lint: 600, typecheck: 600 };
/** Docker ends with 126 or 127 too where it is not the gate's shell that did. */
const ENGINE_REFUSES = /^docker: Error response from daemon: /;
/** How long a container's end is waited for after its time is up. */
const GRACE_MILLISECONDS = 30_000;

/** Runs a profile's gates in its image with the repository mounted, one after another, and writes the result into the repository. */
export async function runGates(
  request: GatesRequest,
  { dockerPath }: { dockerPath: string | undefined },
  tools: Tools,
): Promise<WrittenGatesResult> {
  const read = readRequestedProfile(request, tools);
  const gates = selectGates(request, read.profile);
  const image = request.image_tag ?? profileTag(read.id);
  const engine = await findImage(image, dockerPath, tools);
  const folder = makeOwnFolder(read.repository, [".pf_manifest", "gates"]);
  const runId = randomBytes(8).toString("hex");
  const results: GateResult[] = [];
  for (let repeat = 1; repeat <= request.repeats; repeat += 1) {
    for (const { name, gate } of gates) {
      tools.log.info(`Gate ${name}: ${gate.cmd}`);
      const context = { read, image, engine, runId, name, gate, repeat, maximum: request.max_log_bytes };
      results.push(await runGate(context, tools));
    }
  }
  const result: GatesResult = {
    run_id: runId,
    profile_id: read.id,
    image_tag: image,
    passed: results.every(({ status }) => status === "passed"),
    gates: results,
  };
  const path = join(folder, `${runId}.json`);
  writeArtifact(path, `${JSON.stringify(result, null, 2)}\n`);
  return { ...result, result_path: path };
}

function selectGates(request: GatesRequest, { gates }: RepoProfile): { name: GateName; gate: Gate }[] {
  const wanted = request.gates_to_run ?? GATE_NAMES.filter((name) => gates[name] != null);
  const selected = GATE_NAMES.filter((name) => wanted.includes(name)).map((name) => ({
    name,
    gate: gates[name] ?? null,
  }));
  const found = selected.flatMap(({ name, gate }) => (gate === null ? [] : [{ name, gate }]));
  const absent = selected.find(({ gate }) => gate === null);
  if (absent !== undefined) throw new UserError(`The profile has no gate ${absent.name}.`);
  if (found.length === 0) throw new UserError("There is no gate to run: the profile has none, or none was asked for.");
  return found;
}

async function findImage(image: string, dockerPath: string | undefined, tools: Tools): Promise<Engine> {
  const candidates = engineCandidates(dockerPath, tools);
  const { engine, answer } = await reachEngine(candidates, (candidate) => candidate.inspectImages([image]));
  if (answer.has(image)) return engine;
  throw new UserError(`The engine has no image ${image}.`, { hint: "Build it first: cooper profile build." });
}

interface GateRun {
  readonly read: ReadProfile;
  readonly image: string;
  readonly engine: Engine;
  readonly runId: string;
  readonly name: GateName;
  readonly gate: Gate;
  readonly repeat: number;
  readonly maximum: number;
}

async function runGate(run: GateRun, tools: Tools): Promise<GateResult> {
  const { read, image, engine, runId, name, gate, repeat } = run;
  const container = `cooper-gate-${runId}-${name}-${repeat}`;
  const timeout = gate.timeout_sec ?? DEFAULT_TIMEOUTS[name];
  const log = createBoundedLog(run.maximum);
  const hidden = join(read.repository, "node_modules");
  const keepsModules = read.profile.language === "node" && !existsSync(hidden);
  const command = gateCommand(engine.path, {
    name: container,
    image,
    repository: read.repository,
    command: gate.cmd,
    // The images of the others have their programs where a login shell does not look.
    login: read.profile.language === "python",
    kept: keepsModules ? ["node_modules"] : [],
  });
  const remove = { file: engine.path, args: ["rm", "--force", "--volumes", container], env: {} };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    const kill = { file: engine.path, args: ["kill", container], env: {} };
    tools.runProcess(kill, { regardless: true }).catch(() => undefined);
  }, timeout * 1000);
  const began = performance.now();
  try {
    const onOutput = (text: string) => {
      log.add(text);
      tools.log.raw(text);
    };
    const { exitCode } = await tools.runProcess(command, {
      onOutput,
      timeoutMilliseconds: timeout * 1000 + GRACE_MILLISECONDS,
    });
    const { text, bytes, truncated } = log.end();
    if (!timedOut && (exitCode === 125 || ENGINE_REFUSES.test(text))) {
      throw new UserError(`Gate ${name} did not start: ${text.trim()}`);
    }
    return {
      gate: name,
      repeat,
      cmd: gate.cmd,
      status: timedOut ? "timed_out" : exitCode === 0 ? "passed" : "failed",
      exit_code: timedOut ? null : exitCode,
      timeout_sec: timeout,
      duration_ms: Math.round(performance.now() - began),
      log: text,
      log_bytes: bytes,
      log_truncated: truncated,
    };
  } finally {
    clearTimeout(timer);
    await tools.runProcess(remove, { regardless: true });
    // The engine makes a folder to mount on.
    if (keepsModules) removeEmpty(hidden);
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not there, or somebody's.
  }
}
