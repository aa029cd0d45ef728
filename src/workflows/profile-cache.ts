import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { messageOf, UserError } from "../errors.ts";
import { maximumManifestSize } from "../oci/image.ts";
import { PLAN_LABEL } from "../plan/plan-hash.ts";
import type { ProfileRequest } from "../profile/profile-request.ts";
import { type ContentFiles, openArchive } from "../store/content-files.ts";
import { claimStaged, sweepUnclaimed } from "../store/staged-claim.ts";
import { stagedPath } from "../store/staged-path.ts";
import type { PreparedProfile, ReadProfile } from "./prepare-profile.ts";
import { makeOwnFolder } from "./profile-artifacts.ts";
import type { StoredImage } from "./profile-engine.ts";
import type { Tools } from "./tools.ts";
import { validateImage } from "./validate-image.ts";

const CACHE_FOLDER = [".tmp-test", "image-cache"];

/** The archive that a profile's image is kept in: in the folder asked for, else PF_TMP_DIR's, else the repository's. */
export function cacheArchive(
  request: ProfileRequest,
  { id, repository }: Pick<ReadProfile, "id" | "repository">,
  tools: Pick<Tools, "environment" | "workingDirectory">,
): string {
  const temporary = tools.environment["PF_TMP_DIR"] ?? "";
  const folder =
    request.image_cache_dir ?? (temporary === "" ? join(repository, ...CACHE_FOLDER) : join(temporary, "image-cache"));
  return join(resolve(tools.workingDirectory, folder), `${id}.tar`);
}

/** What a cached image is asked for. */
export interface CacheWish {
  readonly archive: string;
  /** Any of these plans will do; undefined takes whatever it was built from. */
  readonly planHashes: readonly string[] | undefined;
}

/**
 * Loads a cached image after checking its names, its plan and its bytes; undefined when there is none or it was built from something
 * else. Throws UserError for one that is broken.
 */
export async function loadCachedImage(
  prepared: PreparedProfile,
  { archive, planHashes }: CacheWish,
  tools: Tools,
): Promise<StoredImage | undefined> {
  if (!existsSync(archive)) return undefined;
  const names = [prepared.tag, `localhost/${prepared.tag}`, `docker.io/${prepared.tag}`];
  if (!(await isWanted(archive, { names, planHashes }))) return undefined;
  const transport = { kind: "docker-archive" as const, path: archive, name: undefined };
  const [fault] = (await validateImage(transport, tools)).faults;
  if (fault !== undefined) throw new UserError(`${archive} is damaged: ${fault.place}: ${fault.problem}.`);
  const image = await prepared.engine.loadArchive(archive, names);
  if (image === undefined) throw new UserError(`${archive} was loaded, but gave no image ${prepared.tag}.`);
  if (planHashes !== undefined && !planHashes.includes(image.labels[PLAN_LABEL] ?? "")) {
    throw new UserError(`${archive} was loaded, but gave another image than it says.`);
  }
  return image;
}

/** A place beside an archive for what is not whole yet: an engine leaves files of its own there when it is ended. */
export interface StagedArchive {
  readonly archive: string;
  readonly directory: string;
  /** Takes the place away with all that is in it. */
  readonly discard: () => void;
}

/** Makes that place, so that an archive that cannot be written is told of before the image is built. */
export async function stageArchive(archive: string, repository: string): Promise<StagedArchive> {
  const own = dirname(archive) === join(repository, ...CACHE_FOLDER) ? CACHE_FOLDER : [];
  const folders = own.map((_name, index) => join(repository, ...own.slice(0, index + 1)));
  const made = folders.filter((folder) => !existsSync(folder));
  makeOwnFolder(repository, own);
  const directory = stagedPath(archive);
  await sweepUnclaimed(dirname(archive), [basename(archive)], Date.now());
  try {
    mkdirSync(directory);
    const claim = await claimStaged(directory, "folder");
    return {
      archive,
      directory,
      discard() {
        rmSync(directory, { recursive: true, force: true });
        claim?.release();
        for (const folder of made.reverse()) removeEmpty(folder);
      },
    };
  } catch (cause) {
    throw unsaved(archive, cause);
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There is an archive in it.
  }
}

/** Saves the image, by rename. */
export async function saveCachedImage(
  { engine, tag }: PreparedProfile,
  { archive, directory }: StagedArchive,
  tools: Tools,
): Promise<void> {
  const staged = join(directory, basename(archive));
  try {
    await engine.saveArchive(tag, staged);
    renameSync(staged, archive);
  } catch (cause) {
    tools.interruption.signal.throwIfAborted();
    throw unsaved(archive, cause);
  }
}

function unsaved(archive: string, cause: unknown): UserError {
  return new UserError(`Could not save the image to ${archive}: ${messageOf(cause)}`, {
    hint: "Make room there, or name another folder as image_cache_dir.",
    cause,
  });
}

const listingSchema = v.array(v.object({ Config: v.string(), RepoTags: v.nullish(v.array(v.string()), []) }));
const indexSchema = v.object({
  manifests: v.array(v.object({ annotations: v.nullish(v.record(v.string(), v.string()), {}) })),
});
const configSchema = v.object({
  config: v.nullish(v.object({ Labels: v.nullish(v.record(v.string(), v.string()), {}) })),
});

/** Whether an archive holds the one image, under no other name, built from a plan that will do. */
async function isWanted(
  archive: string,
  { names, planHashes }: { names: readonly string[]; planHashes: readonly string[] | undefined },
): Promise<boolean> {
  const files = await openArchive(archive);
  try {
    const [image, ...others] = v.parse(listingSchema, await readJson(files, "manifest.json"));
    if (image === undefined || others.length > 0) throw new UserError(`${archive} holds no image, or several.`);
    const index = await readJson(files, "index.json");
    const annotated =
      index === undefined
        ? []
        : v.parse(indexSchema, index).manifests.flatMap(({ annotations }) => annotations?.[CONTAINERD_NAME] ?? []);
    // What names something else would take another image's place.
    const foreign = [...(image.RepoTags ?? []), ...annotated].find((name) => !names.includes(name));
    if (foreign !== undefined) throw new UserError(`${archive} names another image, ${JSON.stringify(foreign)}.`);
    const { config } = v.parse(configSchema, await readJson(files, image.Config));
    return planHashes === undefined || planHashes.includes(config?.Labels?.[PLAN_LABEL] ?? "");
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${archive} is damaged: ${messageOf(error)}`, { cause: error });
  } finally {
    await files.close();
  }
}

const CONTAINERD_NAME = "io.containerd.image.name";

async function readJson(files: ContentFiles, path: string): Promise<unknown> {
  const bytes = await files.read(path, maximumManifestSize);
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}
