import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { devcontainerId, type IdLabels } from "../devcontainer/identity.ts";
import { stateDirectory } from "../store/directories.ts";
import type { Tools } from "./tools.ts";

const texts = v.record(v.string(), v.string());

const rememberedSchema = v.object({
  version: v.literal(1),
  engine: v.string(),
  container: v.object({
    id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12,64}$/)),
    name: v.string(),
    created: v.string(),
    startedAt: v.string(),
    user: v.string(),
    env: texts,
    labels: texts,
  }),
  process: v.nullable(v.string()),
  accounts: v.record(
    v.string(),
    v.object({ uid: v.number(), home: v.string(), shell: v.string(), profilePatched: v.boolean() }),
  ),
  environments: v.record(v.string(), texts),
  markers: texts,
});

/** What was found out about a running container, valid until it is started again. */
export type RememberedContainer = v.InferOutput<typeof rememberedSchema>;

type CacheTools = Pick<Tools, "environment" | "homeDirectory" | "log">;

/** What is remembered of the container with an id; undefined when nothing usable is. */
export function recallContainer(id: string, tools: CacheTools): RememberedContainer | undefined {
  const text = readIfThere(join(cacheFolder(tools), `${id}.json`));
  if (text === undefined) return undefined;
  try {
    return v.parse(rememberedSchema, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What is remembered of the container that was last found by these labels. */
export function recallByLabels(labels: IdLabels, tools: CacheTools): RememberedContainer | undefined {
  const id = readIfThere(join(cacheFolder(tools), indexName(labels)));
  return id !== undefined && /^[0-9a-f]{12,64}$/.test(id) ? recallContainer(id, tools) : undefined;
}

/** Remembers a container, also by its labels where there are any; only the user can read it. A failure costs time, not more. */
export function rememberContainer(remembered: RememberedContainer, labels: IdLabels, tools: CacheTools): void {
  const folder = cacheFolder(tools);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(join(folder, `${remembered.container.id}.json`), JSON.stringify(remembered));
    if (Object.keys(labels).length > 0) writeWhole(join(folder, indexName(labels)), remembered.container.id);
  } catch (error) {
    tools.log.debug(`Could not remember the container in ${folder}: ${String(error)}`);
  }
}

/** Forgets a container, and that it was found by any labels. */
export function forgetContainer(id: string, tools: CacheTools): void {
  const folder = cacheFolder(tools);
  rmSync(join(folder, `${id}.json`), { force: true });
  for (const name of namesIn(folder)) {
    if (name.startsWith(indexPrefix) && readIfThere(join(folder, name)) === id)
      rmSync(join(folder, name), { force: true });
  }
}

const indexPrefix = "labels-";

function indexName(labels: IdLabels): string {
  return `${indexPrefix}${devcontainerId(labels)}`;
}

function cacheFolder(tools: CacheTools): string {
  return join(stateDirectory(tools), "containers");
}

/** By rename: who reads it sees the old or the new one, whole. */
function writeWhole(path: string, text: string): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, text, { mode: 0o600 });
  renameSync(partial, path);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
