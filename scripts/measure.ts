import { readFileSync } from "node:fs";

/** A command to measure. */
export interface MeasuredCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called before each run, outside the measured time. */
  readonly prepare?: (run: number) => void;
}

/** Milliseconds of a series of runs. */
export interface Timing {
  readonly median: number;
  readonly min: number;
}

/** Runs the commands in turn, `runs` times each after one that does not count; gives the milliseconds of each command's runs. */
export async function timeInTurn<Name extends string>(
  commands: Readonly<Record<Name, MeasuredCommand>>,
  runs: number,
  afterRun: (name: Name, milliseconds: number) => void = () => {},
): Promise<ReadonlyMap<Name, readonly number[]>> {
  const names = Object.keys(commands).filter((name): name is Name => name in commands);
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let run = 0; run <= runs; run++) {
    for (const name of names) {
      const command = commands[name];
      command.prepare?.(run);
      const milliseconds = await time(command);
      if (run === 0) continue;
      times.get(name)?.push(milliseconds);
      afterRun(name, milliseconds);
    }
  }
  return times;
}

/** Median and minimum; of nothing, not numbers. */
export function timingOf(milliseconds: readonly number[]): Timing {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  return { median, min: sorted[0] ?? Number.NaN };
}

/** The most memory that the command's own process had in use, its children left out, in bytes. Linux only. */
export async function peakMemory(command: MeasuredCommand): Promise<number> {
  command.prepare?.(0);
  const child = spawn(command);
  let peak = 0;
  const sampling = setInterval(() => {
    try {
      const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"));
      peak = Math.max(peak, Number(match?.[1] ?? 0) * 1024);
    } catch {
      // It ended between two samples.
    }
  }, 2);
  await succeed(command, child);
  clearInterval(sampling);
  return peak;
}

async function time(command: MeasuredCommand): Promise<number> {
  const started = Bun.nanoseconds();
  const child = spawn(command);
  await child.exited;
  const milliseconds = (Bun.nanoseconds() - started) / 1e6;
  await succeed(command, child);
  return milliseconds;
}

function spawn({ argv, cwd, env }: MeasuredCommand) {
  return Bun.spawn([...argv], { cwd, env: { ...env }, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
}

async function succeed({ argv }: MeasuredCommand, child: ReturnType<typeof spawn>): Promise<void> {
  const stderr = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`${argv.join(" ")} ended with ${child.exitCode}:\n${stderr}`);
}
