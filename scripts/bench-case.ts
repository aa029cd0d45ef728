import { join } from "node:path";
import type { TestEngine } from "../tests/engines/engines.ts";
import { REFERENCE } from "./bench-fixtures.ts";
import { type MeasuredCommand, type Timing, timingOf } from "./measure.ts";

/** The two that are compared. */
export type Tool = "cooper" | "reference";
export const TOOLS = ["cooper", "reference"] as const;

/** What came of one comparison. */
export interface Case {
  readonly name: string;
  readonly unit: "ms" | "MB";
  readonly cooper: Timing;
  readonly reference: Timing;
  readonly ratio: number;
  readonly target: string;
  readonly met: boolean;
}

/** Where, with what and how often things are measured. */
export interface Bench {
  readonly engine: TestEngine;
  readonly runs: number;
  /** Everything that the benchmark writes is in here. */
  readonly directory: string;
}

const root = join(import.meta.dir, "..");
export const milliseconds = { unit: "ms" } as const;

/** A command line of cooper and the same one of the reference CLI; `prepare` is called before each run. */
export function bothTools(
  bench: Bench,
  args: readonly string[],
  prepare: () => void = () => {},
): Record<Tool, MeasuredCommand> {
  const home = join(bench.directory, "home");
  const env = {
    ...process.env,
    ...bench.engine.env,
    COOPER_DOCKER_PATH: bench.engine.path,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
  };
  const [command = "", ...others] = args;
  const isPlain = command.startsWith("-");
  const own = isPlain ? [] : ["--user-data-folder", join(home, "reference")];
  const engine = isPlain || args.includes("--docker-path") ? [] : ["--docker-path", bench.engine.path];
  return {
    cooper: { argv: [join(root, "dist", "cooper"), ...args], cwd: root, env, prepare },
    reference: { argv: [REFERENCE, command, ...own, ...engine, ...others], cwd: root, env, prepare },
  };
}

/** Median and minimum of both. */
export function timings(times: ReadonlyMap<Tool, readonly number[]>): Record<Tool, Timing> {
  return { cooper: timingOf(times.get("cooper") ?? []), reference: timingOf(times.get("reference") ?? []) };
}

/** Both times side by side. */
export function compare(
  name: string,
  cooper: Timing,
  reference: Timing,
): Pick<Case, "name" | "cooper" | "reference" | "ratio"> {
  return { name, cooper, reference, ratio: cooper.median / reference.median };
}
