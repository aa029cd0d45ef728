import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { LocalFeatureReference } from "../features/reference.ts";
import { type Digest, sha256Of } from "../oci/digest.ts";
import { type FeatureContent, isMissing, requireFeature } from "./fetch-feature-content.ts";

/** Reads a Feature of the project where it lies; throws a UserError that says what its folder lacks. */
export async function readLocalFeature(userId: string, reference: LocalFeatureReference): Promise<FeatureContent> {
  const { folder } = reference;
  await requireFolder(userId, folder);
  const [description, digest] = await Promise.all([requireFeature(userId, folder), digestFolder(userId, folder)]);
  return { folder, digest, description };
}

/**
 * The digest of a folder's content: relative paths in the order of their code units, what is executable, link targets
 * and bytes; neither times nor owners nor where it lies.
 */
export async function digestFolder(userId: string, folder: string): Promise<Digest> {
  const entries = await describeEntries(userId, { folder, inside: "" });
  // The path is an entry's second member; `<` compares code units.
  return sha256Of(JSON.stringify(entries.sort(([, left = ""], [, right = ""]) => (left < right ? -1 : 1))));
}

type Entry = readonly string[];

async function describeEntries(
  userId: string,
  { folder, inside }: { folder: string; inside: string },
): Promise<Entry[]> {
  const children = await readdir(join(folder, inside), { withFileTypes: true });
  const entries = children.map(async (child): Promise<Entry[]> => {
    const path = inside === "" ? child.name : `${inside}/${child.name}`;
    if (!child.isDirectory()) return [await describeEntry(userId, { folder, path })];
    return [["folder", path], ...(await describeEntries(userId, { folder, inside: path }))];
  });
  return (await Promise.all(entries)).flat();
}

async function describeEntry(userId: string, { folder, path }: { folder: string; path: string }): Promise<Entry> {
  const absolute = join(folder, path);
  const found = await lstat(absolute);
  if (found.isSymbolicLink()) return ["link", path, await readlink(absolute)];
  if (!found.isFile()) {
    throw new UserError(`Feature '${userId}': ${absolute} is neither a file nor a folder nor a symbolic link.`);
  }
  const kind = (found.mode & 0o100) === 0 ? "file" : "executable";
  return [kind, path, sha256Of(await readFile(absolute))];
}

async function requireFolder(userId: string, folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length > 0) return;
  } catch (cause) {
    if (!isMissing(cause)) throw new UserError(`Feature '${userId}': could not read the folder ${folder}.`, { cause });
    throw new UserError(`Feature '${userId}' does not exist: wanted a folder ${folder}.`, {
      hint: "A local Feature's path starts with ./ and is relative to devcontainer.json.",
      cause,
    });
  }
  throw new UserError(`Feature '${userId}' is empty: wanted devcontainer-feature.json and install.sh in ${folder}.`);
}
