import { lstatSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, lockFile } from "../host/file-lock.ts";
import { isStagedName } from "./staged-path.ts";

const CLAIM = "claim";
/** It takes no time from making something to claiming it. */
const CLAIMED_AFTER_MILLISECONDS = 10_000;

/**
 * Keeps a staged file, or a staged folder by a file in it, from being swept until it is released, or until this process ends, however it
 * ends.
 */
export async function claimStaged(path: string, kind: "file" | "folder"): Promise<FileLock | undefined> {
  if (kind === "folder") writeFileSync(join(path, CLAIM), "");
  const place = kind === "folder" ? join(path, CLAIM) : path;
  return lockFile(place, "exclusive", { signal: new AbortController().signal, milliseconds: 0 });
}

/** Removes what runs that were killed left half written of these files in a folder; what cannot be removed stays. */
export async function sweepUnclaimed(folder: string, names: readonly string[], now: number): Promise<void> {
  for (const found of namesIn(folder)) {
    if (!names.some((name) => isStagedName(found, name))) continue;
    const path = join(folder, found);
    try {
      if (await isAbandoned(path, now)) rmSync(path, { recursive: true, force: true });
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
}

async function isAbandoned(path: string, now: number): Promise<boolean> {
  const { mtimeMs } = lstatSync(path);
  if (now - mtimeMs < CLAIMED_AFTER_MILLISECONDS) return false;
  const claim = lstatSync(path).isDirectory() ? join(path, CLAIM) : path;
  // Nothing but a file is locked: a link in a cloned repository would have another one opened.
  if (lstatSync(claim, { throwIfNoEntry: false })?.isFile() !== true) return true;
  const lock = await lockFile(claim, "exclusive", { signal: new AbortController().signal, milliseconds: 0 });
  lock?.release();
  return lock !== undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
