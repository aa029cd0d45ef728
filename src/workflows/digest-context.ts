import { createReadStream, type Dirent } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { FileDigests } from "../store/file-digests.ts";

/** Which paths of a build context are not sent; `mayContainReincluded` tells whether an ignored folder must be looked into. */
export interface ContextFilter {
  readonly isIgnored: (path: string, isDirectory: boolean) => boolean;
  readonly mayContainReincluded: (directory: string) => boolean;
  /** Whether the lockfiles of Features count like any other file. */
  readonly countsLockfiles?: boolean;
}

interface ContextEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
}

const READERS = 16;
/** Written by a build, and saying nothing that the plan's Features do not say. */
const LOCKFILE = /^\.?devcontainer-lock\.json(?:\.\d+\.tmp)?$/;

/**
 * `sha256:` over the paths, kinds, modes and contents of a build context's files: the same wherever it lies and whenever it was
 * written; `known` spares reading files that have not changed since an earlier run. Group and other write bits do not count, as they
 * differ by the umask of whoever checked it out, nor do the lockfiles of Features, which a first build writes.
 */
export async function digestContext(context: string, filter: ContextFilter, known?: FileDigests): Promise<string> {
  const entries: ContextEntry[] = [];
  await walk(context, "", { filter, entries });
  entries.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
  const lines = new Array<string>(entries.length);
  let next = 0;
  const reader = async () => {
    while (next < entries.length) {
      const index = next;
      next += 1;
      const entry = entries[index];
      if (entry !== undefined) lines[index] = await describeEntry(context, entry, known);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  await known?.save();
  const hasher = new Bun.CryptoHasher("sha256");
  for (const line of lines) hasher.update(`${line}\0`);
  return `sha256:${hasher.digest("hex")}`;
}

async function walk(
  context: string,
  directory: string,
  found: { filter: ContextFilter; entries: ContextEntry[] },
): Promise<void> {
  for (const child of await list(join(context, directory))) {
    const path = directory === "" ? child.name : `${directory}/${child.name}`;
    const ignored = found.filter.isIgnored(path, child.isDirectory());
    if (child.isDirectory()) {
      if (!ignored) found.entries.push({ path, kind: "directory" });
      if (!ignored || found.filter.mayContainReincluded(path)) await walk(context, path, found);
    } else if (!ignored && child.isSymbolicLink()) found.entries.push({ path, kind: "symlink" });
    // Sockets and devices are not sent to a builder either.
    else if (!ignored && child.isFile() && (found.filter.countsLockfiles === true || !LOCKFILE.test(child.name)))
      found.entries.push({ path, kind: "file" });
  }
}

async function list(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (cause) {
    throw new UserError(`Could not read the build context's folder ${directory}: ${messageOf(cause)}.`, {
      hint: "Make it readable, or leave it out with .dockerignore.",
      cause,
    });
  }
}

async function describeEntry(context: string, { path, kind }: ContextEntry, known?: FileDigests): Promise<string> {
  const absolute = join(context, path);
  if (kind === "symlink") return `l ${path}\0${await readlink(absolute)}`;
  const state = await lstat(absolute, { bigint: true });
  const mode = (state.mode & 0o7755n).toString(8);
  if (kind === "directory") return `d ${mode} ${path}`;
  const digest = known?.find(path, state) ?? (await hashFile(absolute));
  known?.remember(path, state, digest);
  return `f ${mode} ${path}\0${digest}`;
}

async function hashFile(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  try {
    for await (const chunk of createReadStream(path)) hasher.update(chunk);
  } catch (cause) {
    throw new UserError(`Could not read ${path} of the build context: ${messageOf(cause)}.`, {
      hint: "Make it readable, or leave it out with .dockerignore.",
      cause,
    });
  }
  return hasher.digest("hex");
}
