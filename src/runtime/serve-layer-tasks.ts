import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import * as v from "valibot";
import { messageOf, UserError } from "../errors.ts";
import { packLayer } from "../store/pack-layer.ts";
import { removeTree } from "../store/remove-tree.ts";
import { unwritable } from "../store/staged-path.ts";
import { unpackLayer } from "../store/unpack-layer.ts";
import { STEP_COMPRESSION } from "../store/write-layer.ts";
import { type LayerAnswer, type LayerTask, layerTaskSchema } from "./layer-task.ts";

type Task<Kind extends LayerTask["kind"]> = Extract<LayerTask, { kind: Kind }>;

const CHUNK = 1024 * 1024;

/** Does what the lines on stdin ask for, one after the other, with an answer each on stdout; the end of stdin is the end. */
export async function serveLayerTasks(): Promise<number> {
  process.umask(0o022);
  let rest = "";
  let last: Promise<void> = Promise.resolve();
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) last = last.then(() => answer(line));
  }
  // Nobody waits for what is not done by now.
  return 0;
}

async function answer(line: string): Promise<void> {
  const task = v.parse(layerTaskSchema, JSON.parse(line));
  let said: LayerAnswer;
  try {
    said = await perform(task);
  } catch (cause) {
    const error = isFullDisk(cause) ? unwritable(outputOf(task), cause) : cause;
    const hint = error instanceof UserError ? error.hint : undefined;
    said = { kind: "failed", message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

function isFullDisk(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function outputOf(task: LayerTask): string {
  switch (task.kind) {
    case "unpack":
    case "place":
      return task.target;
    case "pack":
      return task.output;
    case "remove":
      return task.path;
  }
}

async function perform(task: LayerTask): Promise<LayerAnswer> {
  switch (task.kind) {
    case "unpack":
      await unpack(task);
      return { kind: "done" };
    case "pack":
      return pack(task);
    case "place":
      place(task.folder, task.target);
      return { kind: "done" };
    case "remove":
      removeTree(task.path);
      return { kind: "done" };
  }
}

async function unpack({ blob, staged, target, diffId }: Task<"unpack">): Promise<void> {
  if (existsSync(target)) return;
  mkdirSync(staged, { recursive: true });
  const { signal } = new AbortController();
  const what = `The layer ${diffId}`;
  const chunks = createReadStream(blob, { highWaterMark: CHUNK });
  const unpacked = await unpackLayer(chunks, { folder: staged, what, signal });
  if (unpacked.diffId !== diffId) {
    throw new UserError(`${what} is not what its image says: its content is ${unpacked.diffId}.`, {
      hint: "Remove the image with cooper image rm and get it again.",
    });
  }
  place(staged, target);
}

async function pack(task: Task<"pack">): Promise<LayerAnswer> {
  const { folder, made, lowers, output, started, epoch } = task;
  removeMountPoints(folder, made);
  const file = openSync(output, "wx", 0o644);
  const write = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  };
  const none = new Set<string>();
  const { layer, sockets } = await packLayer(folder, {
    epoch,
    started,
    leaveOut: none,
    leaveOutEmpty: none,
    lowers,
    compression: STEP_COMPRESSION,
    parallelism: availableParallelism(),
    signal: new AbortController().signal,
    write,
  });
  const { mediaType, digest, size } = layer.descriptor;
  return { kind: "packed", layer: { mediaType, digest, size, diffId: layer.diffId }, leftOut: [...sockets] };
}

/**
 * What was made for the step alone is as it was made, for nothing else could be done with it while something was mounted there. But
 * the step may have put a symlink in the place of a folder above it, which leads out of the layer.
 */
function removeMountPoints(folder: string, made: readonly string[]): void {
  for (const path of made.toReversed()) {
    const names = path.split("/");
    const parents = names.slice(0, -1).map((_, index) => `${folder}/${names.slice(0, index + 1).join("/")}`);
    if (!parents.every((parent) => lstatSync(parent, { throwIfNoEntry: false })?.isDirectory() === true)) continue;
    const absolute = `${folder}/${path}`;
    const stats = lstatSync(absolute, { throwIfNoEntry: false });
    if (stats?.isFile() === true && stats.size === 0) unlinkSync(absolute);
    if (stats?.isDirectory() !== true) continue;
    try {
      rmdirSync(absolute);
    } catch {
      // The step put something of its own there.
    }
  }
}

/** A folder that is there by that name already has the same content. */
function place(folder: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  try {
    renameSync(folder, target);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    removeTree(folder);
  }
}
