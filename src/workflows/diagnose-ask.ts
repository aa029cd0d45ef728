import { messageOf, UserError } from "../errors.ts";
import type { RunProcess } from "../host/spawn.ts";
import { withoutPassword } from "./diagnose-endpoint.ts";

/** What came of a question to a program. */
export type Answer =
  | { readonly kind: "exited"; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "silent" }
  | { readonly kind: "not started"; readonly found: string };

/** Asks programs of the machine, each for no longer than `limitMilliseconds`. */
export interface Ask {
  readonly limitMilliseconds: number;
  readonly program: (file: string, args: readonly string[]) => Promise<Answer>;
  /** As given, ended when the time is over. */
  readonly runProcess: RunProcess;
  /** The work's result, or `fallback` if it takes too long or fails. */
  readonly within: <T>(work: Promise<T>, fallback: T) => Promise<T>;
}

/** Bounded questions by way of `runProcess`; an interruption still ends everything. */
export function createAsk(runProcess: RunProcess, limitMilliseconds: number): Ask {
  const bounded: RunProcess = (command, options) =>
    runProcess(command, { timeoutMilliseconds: limitMilliseconds, ...options });
  return {
    limitMilliseconds,
    runProcess: bounded,
    async program(file, args) {
      let late = false;
      // Made before the process's own timer of the same length, this one is heard first.
      const timer = setTimeout(() => {
        late = true;
      }, limitMilliseconds);
      try {
        return { kind: "exited", ...(await bounded({ file, args, env: {} })) };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return late ? { kind: "silent" } : { kind: "not started", found: messageOf(error) };
      } finally {
        clearTimeout(timer);
      }
    },
    async within(work, fallback) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<typeof fallback>((resolve) => {
        timer = setTimeout(() => resolve(fallback), limitMilliseconds);
      });
      const result = await Promise.race([work.catch(() => fallback), late]);
      clearTimeout(timer);
      return result;
    },
  };
}

/** The line of a failed program's complaints that says what is wrong, without passwords in addresses. */
export function complaintOf({ stderr, exitCode }: { stderr: string; exitCode: number }): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const line = lines.findLast((candidate) => /error|cannot|denied|fail|unable/i.test(candidate)) ?? lines.at(-1);
  if (line === undefined) return `exit code ${exitCode}`;
  return withoutPassword(line)
    .replace(/^error: /i, "")
    .replace(/\.? Is the docker daemon running\?$/, "");
}
