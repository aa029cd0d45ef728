import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockFile } from "../host/file-lock.ts";
import { processIdentity } from "../host/process-identity.ts";

/** Removes a file or folder with all that is in it, whoever owns it. */
export type RemoveTree = (path: string) => Promise<void>;

/** A folder for what is being made; it is swept by later runs once this process is dead. */
export interface WorkDirectory {
  readonly path: string;
  /** Removes it. */
  readonly close: () => Promise<void>;
}

const OWNER = "owner";

/** Makes a folder in `parent` that is this process's while it lives. */
export async function openWorkDirectory(
  parent: string,
  { removeTree, signal }: { readonly removeTree: RemoveTree; readonly signal: AbortSignal },
): Promise<WorkDirectory> {
  const name = randomUUID();
  const [staged, path] = [join(parent, `.${name}`), join(parent, name)];
  mkdirSync(staged, { recursive: true });
  writeFileSync(join(staged, OWNER), processIdentity(process.pid) ?? "");
  // Who looks after the dead asks for this lock, from other containers too, where our process id says nothing.
  const lock = await lockFile(join(staged, OWNER), "exclusive", { signal });
  renameSync(staged, path);
  return {
    path,
    async close() {
      // Hidden from those who look after the dead while it is half removed.
      renameSync(path, staged);
      await removeTree(staged);
      lock?.release();
    },
  };
}

/**
 * Removes the folders whose processes are dead. What cannot be removed stays for a later run. `alone` says that nobody else can be
 * making one, so that half-made ones go too.
 */
export async function sweepWorkDirectories(
  parent: string,
  { removeTree, alone }: { readonly removeTree: RemoveTree; readonly alone: boolean },
): Promise<void> {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const isHalfMade = name.startsWith(".");
    if (isHalfMade ? !alone : !(await isAbandoned(path))) continue;
    await removeTree(path).catch(() => {});
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const owner = join(path, OWNER);
  // Of a folder that is being removed the owner may be gone already.
  if (!existsSync(owner)) return true;
  let identity: string;
  try {
    const lock = await lockFile(owner, "exclusive", { signal: new AbortController().signal, milliseconds: 0 });
    if (lock === undefined) return false;
    lock.release();
    identity = readFileSync(owner, "utf8");
  } catch (cause) {
    // Closed by its process since.
    if (!existsSync(owner)) return false;
    throw cause;
  }
  const [, pid] = identity.split(" ");
  return pid === undefined || processIdentity(Number(pid)) !== identity;
}

/** Removes with the rights that this process has. */
export async function removePlainTree(path: string): Promise<void> {
  rmSync(path, { recursive: true, force: true });
}
