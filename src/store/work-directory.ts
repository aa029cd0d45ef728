import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
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
  makeOwned(staged);
  // Who looks after the dead asks for this lock, from other containers too, where our process id says nothing.
  const lock = await lockFile(join(staged, OWNER), "exclusive", { signal });
  renameSync(staged, path);
  return {
    path,
    async close() {
      // Its owner last: a folder of a process that was killed meanwhile is swept, one that is being removed is not.
      for (const child of readdirSync(path)) if (child !== OWNER) await removeTree(join(path, child));
      removeLast(path);
      lock?.release();
    },
  };
}

/** Makes a folder that says whose it is; until it does, who looks after the dead may take it away. */
function makeOwned(folder: string): void {
  for (;;) {
    mkdirSync(folder, { recursive: true });
    try {
      const unfinished = join(folder, `.${OWNER}`);
      writeFileSync(unfinished, processIdentity(process.pid) ?? "");
      renameSync(unfinished, join(folder, OWNER));
      return;
    } catch (error) {
      if (existsSync(folder)) throw error;
    }
  }
}

/** Who just looks whether its owner lives may make a new one. */
function removeLast(folder: string): void {
  for (let tries = 1; existsSync(folder); tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}

/**
 * Removes the folders whose processes are dead. What cannot be removed stays for a later run. `alone` says that nobody else can be
 * making one, so that half-made ones without an owner go too.
 */
export async function sweepWorkDirectories(
  parent: string,
  { removeTree, alone }: { readonly removeTree: RemoveTree; readonly alone: boolean },
): Promise<void> {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    if (alone || (await isAbandoned(path))) await removeTree(path).catch(() => {});
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const owner = join(path, OWNER);
  if (!existsSync(owner)) {
    removeEmpty(path);
    return false;
  }
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
  // A folder that is being made is not locked yet.
  if (pid === undefined && basename(path).startsWith(".")) return false;
  return pid === undefined || processIdentity(Number(pid)) !== identity;
}

/** Of a folder that was being made or removed nothing else may be left. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There is something in it, or it is gone.
  }
}

/** Removes with the rights that this process has. */
export async function removePlainTree(path: string): Promise<void> {
  rmSync(path, { recursive: true, force: true });
}
