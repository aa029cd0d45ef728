import { randomUUID } from "node:crypto";
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import {
  type ArchiveContent,
  type ArchiveLimits,
  defaultArchiveLimits,
  readArchiveContents,
} from "../oci/archive-contents.ts";
import { decompress } from "./decompress.ts";

/**
 * Unpacks a plain or gzipped tar into `folder`, which must be absent or empty: everything inside it, or nothing at all.
 * Throws a UserError that names the entry when the archive is refused.
 */
export async function unpackArchive(
  archive: Uint8Array,
  folder: string,
  limits: ArchiveLimits = defaultArchiveLimits,
): Promise<void> {
  const contents = await readArchive(archive, limits);
  const staging = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.partial`);
  await mkdir(dirname(folder), { recursive: true });
  try {
    await writeContents(contents, staging);
    await moveInto(folder, staging);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** What a plain or gzipped tar holds, in memory; throws the same UserErrors as `unpackArchive`. */
export async function readArchive(
  archive: Uint8Array,
  limits: ArchiveLimits = defaultArchiveLimits,
): Promise<ArchiveContent[]> {
  // Headers and padding come on top of what the entries hold.
  const maximum = limits.maximumBytes + limits.maximumEntries * 4096;
  return readArchiveContents(await decompress(archive, { maximum, what: "The archive" }), limits);
}

async function writeContents(contents: readonly ArchiveContent[], staging: string): Promise<void> {
  const makeDirectory = async (path: string, mode: number): Promise<void> => {
    // The owner must be able to fill it and to remove it again; the umask must not decide what everybody else gets.
    await mkdir(join(staging, path)).catch(nameTaken(path));
    await chmod(join(staging, path), mode | 0o700);
  };
  await makeDirectory("", 0o755);
  const made = new Set([""]);
  const makeParents = async (path: string): Promise<void> => {
    const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
    if (made.has(parent)) return;
    made.add(parent);
    await makeParents(parent);
    await makeDirectory(parent, 0o755);
  };
  // Symlinks come last: whatever a file system takes for the same name, nothing is written through one.
  const symlinks = contents.filter((content) => content.kind === "symlink");
  for (const content of contents) {
    if (content.kind === "symlink") continue;
    await makeParents(content.path);
    const path = join(staging, content.path);
    if (content.kind === "directory") {
      if (!made.has(content.path)) await makeDirectory(content.path, content.mode);
      else await chmod(path, content.mode | 0o700);
      made.add(content.path);
    } else {
      await writeNewFile(path, content);
    }
  }
  for (const content of symlinks) {
    await makeParents(content.path);
    await symlink(content.target, join(staging, content.path)).catch(nameTaken(content.path));
  }
}

async function writeNewFile(path: string, file: { path: string; mode: number; content: Uint8Array }): Promise<void> {
  await writeFile(path, file.content, { flag: "wx" }).catch(nameTaken(file.path));
  await chmod(path, file.mode | 0o400);
}

async function moveInto(folder: string, staging: string): Promise<void> {
  try {
    await rename(staging, folder);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw cause;
    throw new UserError(`Could not unpack into ${folder}: there is something already.`, { cause });
  }
}

function nameTaken(path: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    throw new UserError(
      `The archive is refused because of its entry ${JSON.stringify(path)}: this file system takes its name for another entry's.`,
      { hint: "Names that differ only in case or accents need a file system that tells them apart.", cause },
    );
  };
}
