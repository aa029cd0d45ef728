import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { CooperFacts, DirectoryFacts } from "../runtime/diagnosis/check-cooper.ts";
import type { DiskFacts } from "../runtime/diagnosis/check-storage.ts";
import { cacheDirectory, configDirectory, stateDirectory } from "../store/directories.ts";
import { VERSION } from "../version.ts";
import type { Tools } from "./tools.ts";

/** The program and its directories, none of which is made. */
export async function inspectCooper(tools: Tools): Promise<CooperFacts> {
  const directories = await Promise.all([
    inspectDirectory("XDG_CACHE_HOME", cacheDirectory(tools)),
    inspectDirectory("XDG_STATE_HOME", stateDirectory(tools)),
    inspectDirectory("XDG_CONFIG_HOME", configDirectory(tools)),
  ]);
  return { version: VERSION, directories };
}

/** Space left for what is written at `path`, now or once it exists. */
export async function inspectDisk(path: string): Promise<DiskFacts> {
  const { bavail, bsize } = await statfs(await nearestExisting(path));
  return { path, free: bavail * bsize };
}

async function inspectDirectory(variable: DirectoryFacts["variable"], path: string): Promise<DirectoryFacts> {
  const existing = await nearestExisting(path);
  const writable = await isAccessible(existing, constants.W_OK | constants.X_OK);
  return { variable, path, exists: existing === path, writable };
}

/** The path, or the nearest folder above it that is there. */
export async function nearestExisting(path: string): Promise<string> {
  if (path === dirname(path) || (await isAccessible(path, constants.F_OK))) return path;
  return nearestExisting(dirname(path));
}

async function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
