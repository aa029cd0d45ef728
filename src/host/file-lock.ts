import { randomUUID } from "node:crypto";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { openCLibrary } from "./c-library.ts";

/** A lock that is held until it is released, or until the process ends, however it ends. */
export interface FileLock {
  readonly release: () => void;
}

/** `shared` goes with other shared ones, `exclusive` with none. */
export type LockMode = "shared" | "exclusive";

/** How long a lock is waited for. */
export interface LockPatience {
  readonly signal: AbortSignal;
  /** Without it, until the lock is there. */
  readonly milliseconds?: number;
  /** Told once, when there is something to wait for. */
  readonly onWait?: () => void;
}

const operations = { shared: 1, exclusive: 2 } as const;
const WITHOUT_WAITING = 4;
const LONGEST_PAUSE = 100;

type Flock = (file: number, operation: number) => number;
let flock: Flock | undefined;

/**
 * Locks a file, which is made, against other processes and against this one (flock(2)); undefined when patience ran out. Where there
 * are no such locks, nothing is waited for. Throws the signal's reason when it is aborted.
 */
export async function lockFile(path: string, mode: LockMode, patience: LockPatience): Promise<FileLock | undefined> {
  const file = openLock(path);
  const lock = heldBy(file);
  const start = performance.now();
  try {
    for (let pause = 1; !isLocked(file, mode); pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (pause === 1) {
        if (!canLock(path)) return lock;
        patience.onWait?.();
      }
      patience.signal.throwIfAborted();
      if (performance.now() - start > (patience.milliseconds ?? Number.POSITIVE_INFINITY)) {
        lock.release();
        return undefined;
      }
      await Bun.sleep(pause);
    }
    return lock;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Released twice, it would close what others have opened since. */
function heldBy(file: number): FileLock {
  let isHeld = true;
  return {
    release() {
      if (isHeld) closeSync(file);
      isHeld = false;
    },
  };
}

/** Where others own the folder, its lock may only be read. */
function openLock(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EACCES" && code !== "EROFS") throw error;
    return openSync(path, constants.O_RDONLY);
  }
}

function isLocked(file: number, mode: LockMode): boolean {
  flock ??= openFlock();
  return flock(file, operations[mode] + WITHOUT_WAITING) === 0;
}

/** A file system without locks refuses one on a file that nobody else knows, too. */
function canLock(path: string): boolean {
  const probe = `${path}.${randomUUID()}`;
  let file: number;
  try {
    file = openSync(probe, "wx");
  } catch {
    // Nothing can be written here, and so nobody changes what is read.
    return false;
  }
  try {
    return isLocked(file, "exclusive");
  } finally {
    closeSync(file);
    rmSync(probe, { force: true });
  }
}

function openFlock(): Flock {
  const library = openCLibrary({ flock: { args: ["i32", "i32"], returns: "i32" } as const });
  return library === undefined ? () => 0 : library.flock;
}
