import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { type BaseFiles, probedPaths, readBaseFiles } from "../agent/base-files.ts";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import { cacheDirectory } from "../store/directories.ts";
import { stagedPath } from "../store/staged-path.ts";
import type { Tools } from "./tools.ts";

/** An image of the engine's store, and the architecture of the programs it is asked about for. */
export interface BaseFilesQuestion {
  readonly engine: Engine;
  readonly reference: string;
  readonly image: LocalImage;
  readonly arch: "x64" | "arm64";
}

const foundSchema = v.record(v.string(), v.string());

/** What an image's files say of its libc, users and groups; remembered by the image's id. Nothing of the image runs. */
export async function readImageBaseFiles(question: BaseFilesQuestion, tools: Tools): Promise<BaseFiles> {
  const { image, arch, reference } = question;
  const remembered = join(cacheDirectory(tools), "base-files", `${image.id.replace(/^sha256:/, "")}-${arch}.json`);
  const known = recall(remembered);
  const found = known ?? (await probe(question, tools));
  const files = readBaseFiles(new Map(Object.entries(found)), { arch, image: reference });
  if (known === undefined) remember(remembered, found);
  return files;
}

function recall(path: string): Record<string, string> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return v.parse(foundSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function remember(path: string, found: Record<string, string>): void {
  const staged = stagedPath(path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(staged, JSON.stringify(found));
  renameSync(staged, path);
}

/** Copies the files out of a container that is made and never started. */
async function probe(question: BaseFilesQuestion, tools: Tools): Promise<Record<string, string>> {
  const { engine, image, reference } = question;
  const created = await engine.ask([
    "create",
    "--pull=never",
    "--network=none",
    "--entrypoint=/cooper-never-runs",
    image.id,
  ]);
  const id = created.stdout.trim().split("\n").at(-1) ?? "";
  if (created.exitCode !== 0 || !/^[0-9a-f]{12,64}$/.test(id)) {
    throw new UserError(
      `Could not look into the base image ${reference}: ${created.stderr.trim() || "no container was made"}.`,
    );
  }
  try {
    return await withTemporaryDirectory(cacheDirectory(tools), (folder) => copyOut(question, { id, folder }));
  } finally {
    await tools.runProcess({ file: engine.path, args: ["rm", "--force", id], env: {} }, { regardless: true });
  }
}

async function copyOut(
  { engine, arch }: BaseFilesQuestion,
  { id, folder }: { readonly id: string; readonly folder: string },
): Promise<Record<string, string>> {
  const entries = await Promise.all(
    probedPaths(arch).map(async (path, index) => {
      const copy = join(folder, String(index));
      const { exitCode } = await engine.ask(["cp", `${id}:${path}`, copy]);
      const copied = lstatSync(copy, { throwIfNoEntry: false });
      if (exitCode !== 0 || copied === undefined) return [];
      return [[path, path.startsWith("/etc/") && copied.isFile() ? readFileSync(copy, "utf8") : ""] as const];
    }),
  );
  return Object.fromEntries(entries.flat());
}
