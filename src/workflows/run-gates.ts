import { randomBytes } from "node:crypto";
import { existsSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { GATE_NAMES, type GateName, type GatesRequest } from "../profile/profile-request.ts";
import type { Gate, RepoProfile } from "../profile/repo-profile.ts";
import { createBoundedLog } from "./bounded-log.ts";
import { openProfileEngine, type ProfileEngineWishes } from "./open-profile-engine.ts";
import { profileTag, type ReadProfile, readRequestedProfile } from "./prepare-profile.ts";
import { makeOwnFolder, writeArtifact } from "./profile-artifacts.ts";
import type { GateEnd, ProfileEngine } from "./profile-engine.ts";
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

/** Runs a profile's gates in its image with the repository mounted, one after another, and writes the result into the repository. */
export async function runGates(
  request: GatesRequest,
  wishes: Pick<ProfileEngineWishes, "dockerPath" | "backend">,
  tools: Tools,
): Promise<WrittenGatesResult> {
  const read = readRequestedProfile(request, tools);
  const gates = selectGates(request, read.profile);
  const image = request.image_tag ?? profileTag(read.id);
  const engine = await findImage(image, wishes, tools);
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

async function findImage(
  image: string,
  wishes: Pick<ProfileEngineWishes, "dockerPath" | "backend">,
  tools: Tools,
): Promise<ProfileEngine> {
  const { engine, images } = await openProfileEngine([image], { ...wishes, buildkit: "auto" }, tools);
  if (images.has(image)) return engine;
  throw new UserError(`The engine has no image ${image}.`, { hint: "Build it first: cooper profile build." });
}

interface GateRun {
  readonly read: ReadProfile;
  readonly image: string;
  readonly engine: ProfileEngine;
  readonly runId: string;
  readonly name: GateName;
  readonly gate: Gate;
  readonly repeat: number;
  readonly maximum: number;
}

async function runGate(run: GateRun, tools: Tools): Promise<GateResult> {
  const { read, image, engine, runId, name, gate, repeat } = run;
  const timeout = gate.timeout_sec ?? DEFAULT_TIMEOUTS[name];
  const log = createBoundedLog(run.maximum);
  const hidden = join(read.repository, "node_modules");
  const keepsModules = read.profile.language === "node" && !existsSync(hidden);
  const container = {
    name: `cooper-gate-${runId}-${name}-${repeat}`,
    image,
    repository: read.repository,
    command: gate.cmd,
    // The images of the others have their programs where a login shell does not look.
    login: read.profile.language === "python",
    kept: keepsModules ? ["node_modules"] : [],
  };
  const onOutput = (text: string) => {
    log.add(text);
    tools.log.raw(text);
  };
  const began = performance.now();
  try {
    const end = await engine.runGate(container, { timeoutMilliseconds: timeout * 1000, onOutput });
    const { text, bytes, truncated } = log.end();
    return {
      gate: name,
      repeat,
      cmd: gate.cmd,
      ...statusOf(end),
      timeout_sec: timeout,
      duration_ms: Math.round(performance.now() - began),
      log: text,
      log_bytes: bytes,
      log_truncated: truncated,
    };
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`Gate ${name} did not start: ${cause.message}`, { cause });
  } finally {
    // The engine makes a folder to mount on.
    if (keepsModules) removeEmpty(hidden);
  }
}

function statusOf(end: GateEnd): Pick<GateResult, "status" | "exit_code"> {
  switch (end.kind) {
    case "ended":
      return { status: end.exitCode === 0 ? "passed" : "failed", exit_code: end.exitCode };
    case "timed_out":
      return { status: "timed_out", exit_code: null };
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not there, or somebody's.
  }
}
