import type { Command } from "../plan/command.ts";
import { collect, exitCodeOf, killGroup, type ProcessResult, start } from "./spawn.ts";

const TAIL_CHARACTERS = 4096;

/** A running process that is talked to in bytes while it runs. */
export interface DuplexProcess {
  readonly stdin: {
    /** Resolves when more may be written; throws when the process does not read any more. */
    readonly write: (bytes: Uint8Array) => Promise<void>;
    readonly end: () => void;
  };
  /** Read no further than it is asked to be. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** How it ended; `stdout` is empty there, and `stderr` the last that it printed. */
  readonly exited: Promise<ProcessResult>;
  readonly kill: () => void;
}

/**
 * Starts a process, in a process group of its own, that runs until its stdin is ended or it is killed; `isGroup` says that its end is that
 * of its whole group, which may hold its output open. Throws as `RunProcess` does.
 */
export function startDuplex(
  command: Command,
  environment: Readonly<Record<string, string | undefined>>,
  { isGroup = false }: { readonly isGroup?: boolean } = {},
): DuplexProcess {
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _runtime, ...inherited } = environment;
  const env = { ...inherited, ...command.env };
  const child = start(command, { env, stdin: "pipe", stdout: "pipe", stderr: "pipe", detached: true });
  const { stdin, stdout } = child;
  if (isGroup) child.exited.then(() => killGroup(child.pid, "SIGKILL"));
  let tail = "";
  const collected = collect(child.stderr, (text) => (tail = (tail + text).slice(-TAIL_CHARACTERS)), false);
  return {
    stdin: {
      async write(bytes) {
        await stdin.write(bytes);
        await stdin.flush();
      },
      end() {
        // What was not read by a process that has ended is lost, which its reader learns from `exited`.
        Promise.resolve(stdin.end()).catch(() => undefined);
      },
    },
    stdout,
    exited: Promise.all([child.exited, collected]).then(() => ({
      exitCode: exitCodeOf(child),
      stdout: "",
      stderr: tail,
    })),
    kill: () => killGroup(child.pid, "SIGKILL"),
  };
}
