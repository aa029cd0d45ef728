import { readdirSync, readFileSync } from "node:fs";
import { processIdentity } from "../../src/host/process-identity.ts";
import type { TreeProcess } from "../../src/host/process-tree.ts";

/** The command lines of this machine's processes that contain a text, those in containers and namespaces included. */
export function processesWith(text: string): { readonly id: number; readonly words: string }[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ");
      return words.includes(text) ? [{ id: Number(entry), words }] : [];
    } catch {
      return [];
    }
  });
}

/** Whether nothing of a process runs any more; its command line is gone before that, while its threads still come back from the kernel. */
export function hasEnded({ pid, identity }: TreeProcess): boolean {
  if (processIdentity(pid) !== identity) return true;
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const afterName = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ").at(-1) ?? "";
      return /^[ZX]/.test(afterName);
    });
  } catch {
    // A thread ended meanwhile: the next look tells.
    return false;
  }
}

/** Waits until it holds, or throws after twenty seconds. */
export async function until(holds: () => Promise<boolean> | boolean, what: string | (() => string)): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return;
    await Bun.sleep(50);
  }
  throw new Error(`waited in vain: ${typeof what === "string" ? what : what()}`);
}
