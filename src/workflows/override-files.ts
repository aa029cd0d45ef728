import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ContainerDetails } from "../runtime/container-details.ts";
import { cacheDirectory } from "../store/directories.ts";
import type { Tools } from "./tools.ts";

/** The label in which Compose keeps the paths of a project's files, comma-separated. */
const FILES_LABEL = "com.docker.compose.project.config_files";
/** Names by which the reference CLI knows override files too: of a container, and of a build that only it writes. */
const CONTAINER_PREFIX = "docker-compose.devcontainer.containerFeatures-";
const BUILD_PREFIX = "docker-compose.devcontainer.build-";

/** Writes an override file of its own name, for nobody else to read: an environment may hold secrets. */
export async function writeOverrideFile(
  text: string,
  userDataFolder: string | undefined,
  tools: Tools,
): Promise<string> {
  const folder = overrideFolder(userDataFolder, tools);
  const path = join(folder, `${CONTAINER_PREFIX}${randomUUID()}.yml`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600, flag: "wx" });
  return path;
}

/** The override files that a container was made with, as long as all of them are there; undefined when they are not. */
export function keptOverrideFiles(container: Pick<ContainerDetails, "labels">): readonly string[] | undefined {
  const ofBuild = listedFile(container, BUILD_PREFIX);
  const ofContainer = listedFile(container, CONTAINER_PREFIX);
  const files = [ofBuild, ofContainer].filter((file) => file !== undefined);
  return ofContainer !== undefined && files.every((file) => existsSync(file)) ? files : undefined;
}

/** Removes the override files that were written here for containers that are gone. */
export async function removeOverrideFiles(
  containers: readonly Pick<ContainerDetails, "labels">[],
  userDataFolder: string | undefined,
  tools: Tools,
): Promise<void> {
  const folder = overrideFolder(userDataFolder, tools);
  const files = containers
    .flatMap((container) => listedFile(container, CONTAINER_PREFIX) ?? [])
    .filter((file) => dirname(file) === folder);
  await Promise.all([...new Set(files)].map((file) => rm(file, { force: true })));
}

function overrideFolder(userDataFolder: string | undefined, tools: Tools): string {
  return join(userDataFolder ?? cacheDirectory(tools), "docker-compose");
}

function listedFile({ labels }: Pick<ContainerDetails, "labels">, prefix: string): string | undefined {
  const files = (labels[FILES_LABEL] ?? "").split(",");
  // What a label says is believed only of a file that has such a name in such a folder.
  return files.find((file) => basename(file).startsWith(prefix) && basename(dirname(file)) === "docker-compose");
}
