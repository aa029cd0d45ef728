import { readdirSync, readFileSync } from "node:fs";
import { processIdentity } from "./process-identity.ts";

/** A process of this machine, told apart from a later one with the same pid. */
export interface TreeProcess {
  readonly pid: number;
  readonly identity: string;
}

/**
 * All that a process has started and that still runs, whatever process group or session it went into, such as a build's containers.
 * Linux only: none elsewhere.
 */
export function descendantsOf(ancestor: number): readonly TreeProcess[] {
  const children = new Map<number, number[]>();
  for (const pid of processIds()) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: TreeProcess[] = [];
  const pending = [...(children.get(ancestor) ?? [])];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    const identity = processIdentity(pid);
    if (identity !== undefined) found.push({ pid, identity });
    pending.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Ends those of the processes that are still the ones they were. */
export function killRemaining(processes: readonly TreeProcess[]): void {
  for (const { pid, identity } of processes) {
    if (processIdentity(pid) !== identity) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself, or is another user's.
    }
  }
}

function processIds(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold anything, parentheses and blanks too.
    return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);
  } catch {
    return undefined;
  }
}
