import { readFileSync } from "node:fs";

/**
 * Tells one process of this machine from every other, also from a later one with the same pid and after a restart of the machine;
 * undefined for a process that is not there or not to be seen. Linux only: undefined everywhere else.
 */
export function processIdentity(pid: number): string | undefined {
  const boot = readText("/proc/sys/kernel/random/boot_id");
  // The name in parentheses may hold anything, parentheses and blanks too.
  const afterName = readText(`/proc/${pid}/stat`)?.split(") ").at(-1);
  const startTime = afterName?.split(" ")[19];
  return boot === undefined || startTime === undefined ? undefined : `${boot.trim()} ${pid} ${startTime}`;
}

/** True when a process of this machine runs in the container, by the name of its control group. */
export function runsInContainer(pid: number, containerId: string): boolean {
  return readText(`/proc/${pid}/cgroup`)?.includes(containerId) ?? false;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
