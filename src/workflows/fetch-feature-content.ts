import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { type FeatureDescription, parseFeatureManifest } from "../features/manifest-schema.ts";
import { type Digest, hexOf, sha256Of } from "../oci/digest.ts";

/** The file that describes a Feature, in its folder. */
export const featureManifestFile = "devcontainer-feature.json";

/** A Feature's files on disk. */
export type FeatureContent = {
  /** Absolute; nothing in it is to be changed. */
  readonly folder: string;
  /** Names the same content anywhere. */
  readonly digest: Digest;
  readonly description: FeatureDescription;
};

/** An archive's bytes, wanted only when its content is not unpacked yet. */
export type FeatureArchive = {
  /** Who wants it, for messages. */
  readonly userId: string;
  readonly digest: Digest;
  readonly bytes: () => Promise<Uint8Array>;
};

/** Where archives are unpacked, and how: everything inside `folder`, which is made for it, or an error. */
export type UnpackPorts = {
  readonly cacheFolder: string;
  readonly unpack: (archive: Uint8Array, folder: string) => Promise<void>;
};

/**
 * The folder of an unpacked archive and its description: found in the cache by the archive's digest, or unpacked there
 * once. The folder appears whole or not at all, however many processes do the same.
 */
export async function unpackFeature(
  archive: FeatureArchive,
  ports: UnpackPorts,
): Promise<{ folder: string; description: FeatureDescription }> {
  const parent = join(ports.cacheFolder, "features", "sha256");
  const folder = join(parent, hexOf(archive.digest));
  const found = await describeFolder(archive.userId, folder);
  if (found !== undefined) return { folder, description: found };

  const bytes = await archive.bytes();
  const digest = sha256Of(bytes);
  if (digest !== archive.digest)
    throw digestMismatch(`Feature '${archive.userId}'`, { wanted: archive.digest, found: digest });
  await mkdir(parent, { recursive: true });
  const staging = await mkdtemp(join(parent, "unpacking-"));
  try {
    const unpacked = join(staging, "content");
    await ports.unpack(bytes, unpacked);
    const description = await requireFeature(archive.userId, unpacked);
    await moveInto(folder, { unpacked, replaced: join(staging, "replaced") });
    return { folder, description };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** The description of the Feature in `folder`; throws a UserError that says which of its two files is missing. */
export async function requireFeature(userId: string, folder: string): Promise<FeatureDescription> {
  const description = await describeFolder(userId, folder);
  if (description === undefined) {
    if (await isFile(join(folder, "devcontainer-features.json"))) {
      throw new UserError(
        `Feature '${userId}' is not supported: it is a collection in the format from before devcontainer-feature.json.`,
        { hint: "Use a Feature that is published in a registry: https://containers.dev/features lists them." },
      );
    }
    throw new UserError(`Feature '${userId}' has no ${featureManifestFile}: looked for it in ${folder}.`);
  }
  if (!(await isFile(join(folder, "install.sh")))) {
    throw new UserError(`Feature '${userId}' has no install.sh: looked for it in ${folder}.`);
  }
  return description;
}

/** The error of content that is not what its digest promises. */
export function digestMismatch(what: string, digests: { wanted: string; found: string }): UserError {
  return new UserError(
    `Digest did not match for ${what}. Wanted ${digests.wanted}, found ${digests.found}; nothing of it was used.`,
    { hint: "If the change is expected, update devcontainer-lock.json with `upgrade`." },
  );
}

async function describeFolder(userId: string, folder: string): Promise<FeatureDescription | undefined> {
  const file = join(folder, featureManifestFile);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new UserError(`Feature '${userId}': could not read ${file}.`, { cause });
  }
  return parseFeatureManifest(text, { userId, file });
}

/** Renames `unpacked` to `folder`; one that another process has completed meanwhile stays, a damaged one is replaced. */
async function moveInto(folder: string, { unpacked, replaced }: { unpacked: string; replaced: string }): Promise<void> {
  try {
    await rename(unpacked, folder);
  } catch (cause) {
    if (await isFile(join(folder, featureManifestFile))) return;
    if (!(await exists(folder))) throw cause;
    await rename(folder, replaced);
    await rename(unpacked, folder);
  }
}

/** True for the error of a path that is not there. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR");
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
