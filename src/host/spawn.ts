import { constants } from "node:os";
import { UserError } from "../errors.ts";
import type { Command } from "../plan/command.ts";
import { type EndingSignal, type Interruption, uninterrupted } from "./interruption.ts";
import { descendantsOf, killRemaining, type TreeProcess } from "./process-tree.ts";

/** How a process ended: `exitCode` is 128 + n for one that signal n ended. */
export interface ProcessResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The signal that this process got while an attached one ran, when that ended soon after. */
  readonly signal?: EndingSignal;
}

/**
 * What a process is connected to. `inherited`: this process's own stdin, stdout, stderr and process group, so that the terminal and
 * its signals are the child's; `endWith` is for a child that does not listen to what ends this process. `terminal`: a new terminal of this size, raw, whose input is this process's stdin.
 */
export type Stdio =
  | { readonly kind: "piped" }
  | { readonly kind: "inherited"; readonly endWith?: "SIGKILL" }
  | { readonly kind: "terminal"; readonly columns: number; readonly rows: number };

/** What to do with a running process: where its output goes line by line, what it reads, when to give up. */
export interface SpawnOptions {
  readonly onOutput?: (text: string, stream: "stdout" | "stderr") => void;
  readonly stdin?: string;
  /** Instead: stdin is open and empty as long as this process is there, so that its end can be noticed. Its own end is that of all its group. */
  readonly lifeline?: boolean;
  readonly timeoutMilliseconds?: number;
  readonly workingDirectory?: string;
  /** Runs although the work was interrupted: for what must be tidied up. */
  readonly regardless?: boolean;
  /** Piped by default, which alone the options above are for. */
  readonly stdio?: Stdio;
}

/** Starts processes and waits for them; throws UserError when the executable cannot be started, Interrupted on a signal. */
export type RunProcess = (command: Command, options?: SpawnOptions) => Promise<ProcessResult>;

const GRACE_MILLISECONDS = 5000;
/** Ctrl-D, which ends the input of a terminal. */
const END_OF_TRANSMISSION = "\u0004";

/**
 * The one place that starts processes, from argv arrays only. A piped one has a process group of its own, so that an interruption
 * ends all of it; an attached one shares ours.
 */
export function createRunProcess(
  environment: Readonly<Record<string, string | undefined>>,
  interruption: Interruption,
): RunProcess {
  // Both would change what a child made by the same runtime does.
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _runtime, ...inherited } = environment;
  return async (command, options = {}) => {
    const { stdio = { kind: "piped" } } = options;
    const env = { ...inherited, ...command.env };
    switch (stdio.kind) {
      case "piped":
        return runPiped(command, { env, options, interruption });
      case "inherited":
        interruption.signal.throwIfAborted();
        return runAttached(
          interruption,
          () => start(command, { env, stdin: "inherit", stdout: "inherit", stderr: "inherit" }),
          stdio.endWith,
        );
      case "terminal":
        interruption.signal.throwIfAborted();
        return runInTerminal(command, { env, options, interruption, size: stdio });
    }
  };
}

interface Run {
  readonly env: Record<string, string | undefined>;
  readonly options: SpawnOptions;
  readonly interruption: Interruption;
}

async function runPiped(command: Command, { env, options, interruption }: Run): Promise<ProcessResult> {
  const signal = options.regardless === true ? uninterrupted.signal : interruption.signal;
  signal.throwIfAborted();
  const given = options.stdin === undefined ? "ignore" : new Blob([options.stdin]);
  const stdin = options.lifeline === true ? "pipe" : given;
  const cwd = options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory };
  const child = start(command, { env, ...cwd, stdin, stdout: "pipe", stderr: "pipe", detached: true });
  let timedOut = false;
  const kill = (name: "SIGTERM" | "SIGKILL") => killGroup(child.pid, name);
  if (options.lifeline === true) child.exited.then(() => kill("SIGKILL"));
  let forced: ReturnType<typeof setTimeout> | undefined;
  let family: readonly TreeProcess[] = [];
  const onAbort = () => {
    // Seen before their parent ends: what went into a session of its own, as an engine's containers do, gets no signal of its group.
    family = descendantsOf(child.pid);
    kill("SIGTERM");
    forced = setTimeout(() => {
      family = [...family, ...descendantsOf(child.pid)];
      kill("SIGKILL");
    }, GRACE_MILLISECONDS);
    child.exited.then(() => killRemaining(family));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const timer =
    options.timeoutMilliseconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          kill("SIGKILL");
        }, options.timeoutMilliseconds);
  try {
    const [stdout, stderr] = await Promise.all([
      collect(child.stdout, (text) => options.onOutput?.(text, "stdout"), options.onOutput === undefined),
      collect(child.stderr, (text) => options.onOutput?.(text, "stderr"), options.onOutput === undefined),
    ]);
    await child.exited;
    signal.throwIfAborted();
    if (timedOut) throw new UserError(`${command.file} did not answer within ${options.timeoutMilliseconds} ms.`);
    return { exitCode: exitCodeOf(child), stdout, stderr };
  } finally {
    clearTimeout(timer);
    clearTimeout(forced);
    signal.removeEventListener("abort", onAbort);
  }
}

type Attached = Bun.Subprocess<Bun.Spawn.Writable, Bun.Spawn.Readable, Bun.Spawn.Readable>;

/**
 * Waits for a child that has the terminal. Ctrl-C reaches it as it reaches us, so it is the child's to act on; what else is meant to
 * end us is passed on to it.
 */
async function runAttached(
  interruption: Interruption,
  startChild: () => Attached,
  endWith?: "SIGKILL",
): Promise<ProcessResult> {
  let child: Attached | undefined;
  let received: { name: EndingSignal; at: number } | undefined;
  const restore = interruption.divert?.((name) => {
    received = { name, at: performance.now() };
    if (name !== "SIGINT") child?.kill(endWith ?? name);
  });
  try {
    child = startChild();
    await child.exited;
    // A signal that ended both of us may be told of after the child's end.
    await Bun.sleep(1);
    const ended = received !== undefined && performance.now() - received.at < GRACE_MILLISECONDS;
    return {
      exitCode: exitCodeOf(child),
      stdout: "",
      stderr: "",
      ...(ended && received !== undefined ? { signal: received.name } : {}),
    };
  } finally {
    restore?.();
  }
}

async function runInTerminal(
  command: Command,
  { env, options, interruption, size }: Run & { readonly size: { readonly columns: number; readonly rows: number } },
): Promise<ProcessResult> {
  const decoder = new TextDecoder();
  const { promise: drained, resolve: onDrained } = Promise.withResolvers<void>();
  const input = Bun.stdin.stream().getReader();
  let terminal: Bun.Terminal | undefined;
  const typeInput = async () => {
    for (;;) {
      const { done, value } = await input.read();
      if (terminal === undefined || terminal.closed) return;
      terminal.write(done ? END_OF_TRANSMISSION : value);
      if (done) return;
    }
  };
  try {
    const result = await runAttached(interruption, () => {
      const child = start(command, {
        env,
        terminal: {
          cols: size.columns,
          rows: size.rows,
          data: (_terminal, bytes) => options.onOutput?.(decoder.decode(bytes, { stream: true }), "stdout"),
          exit: () => onDrained(),
        },
      });
      terminal = child.terminal;
      // The client of a terminal elsewhere: what is typed before it has made this one raw must not be acted on here.
      terminal?.setRawMode(true);
      typeInput().catch(() => undefined);
      return child;
    });
    await drained;
    return result;
  } finally {
    input.cancel().catch(() => undefined);
    terminal?.close();
  }
}

/** Starts a process; throws a UserError that names what could not be started. */
export function start<
  const In extends Bun.Spawn.Writable,
  const Out extends Bun.Spawn.Readable,
  const Err extends Bun.Spawn.Readable,
>(command: Command, options: Bun.Spawn.SpawnOptions<In, Out, Err>): Bun.Subprocess<In, Out, Err> {
  try {
    return Bun.spawn([command.file, ...command.args], options);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const found =
      code === "ENOENT" ? "no such executable" : code === "EACCES" ? "permission denied" : "it did not start";
    throw new UserError(`Could not run ${command.file}: ${found}.`, {
      hint: "Name an installed docker or podman with --docker-path or COOPER_DOCKER_PATH, or put one on PATH.",
      cause,
    });
  }
}

/** Reads a stream of text to its end, piece by piece; gives the whole where it is kept. */
export async function collect(
  stream: ReadableStream<Uint8Array>,
  onText: (text: string) => void,
  keep: boolean,
): Promise<string> {
  const decoder = new TextDecoder();
  let kept = "";
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    onText(text);
    if (keep) kept += text;
  }
  return kept;
}

/** The exit code of a process that has ended: 128 + n for one that signal n ended. */
export function exitCodeOf(child: { exitCode: number | null; signalCode: string | number | null }): number {
  if (child.exitCode !== null) return child.exitCode;
  const { signalCode } = child;
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (typeof signalCode === "number" ? signalCode : (numbers[signalCode ?? ""] ?? 0));
}

/** Sends a signal to all of a process group, if there is any of it left. */
export function killGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** A process that gets nothing of this one's but its output, both kinds on stdout, or all of its streams. */
export interface BareProcess {
  readonly argv: readonly string[];
  /** All of the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** `output`: nothing to read, and all output to a file descriptor. */
  readonly stdio: { readonly kind: "output"; readonly to: number } | { readonly kind: "inherited" };
}

/** Runs a process in this one's process group; resolves to its exit code, 128 + n for one that signal n ended. */
export async function runBare({ argv, env, cwd, stdio }: BareProcess): Promise<number> {
  const child =
    stdio.kind === "inherited"
      ? Bun.spawn([...argv], { env, cwd, stdin: "inherit", stdout: "inherit", stderr: "inherit" })
      : Bun.spawn([...argv], { env, cwd, stdin: "ignore", stdout: stdio.to, stderr: stdio.to });
  await child.exited;
  return exitCodeOf(child);
}
