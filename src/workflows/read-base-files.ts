import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { type BaseFiles, isProbedText, probedPaths, readBaseFiles, readProbedText } from "../agent/base-files.ts";
import { UserError } from "../errors.ts";
import { withTemporaryDirectory } from "../host/temporary-directory.ts";
import type { ImageSource } from "../oci/content.ts";
import type { Image } from "../oci/image.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import { cacheDirectory } from "../store/directories.ts";
import { stagedPath } from "../store/staged-path.ts";
import { maximumText, readLayerFiles } from "./read-layer-files.ts";
import type { Tools } from "./tools.ts";

/** Where a base image is looked into. */
export type BaseFilesPlace =
  /** In an engine's store. */
  | { readonly kind: "engine"; readonly engine: Engine; readonly image: LocalImage }
  /** Where its layers lie, without an engine; `digest` names the image or the index that it is of. */
  | { readonly kind: "source"; readonly source: ImageSource; readonly image: Image; readonly digest: string };

/** A base image, and the architecture of the programs it is asked about for. */
export interface BaseFilesQuestion {
  readonly place: BaseFilesPlace;
  /** How it is called in messages. */
  readonly reference: string;
  readonly arch: "x64" | "arm64";
}

const foundSchema = v.record(v.string(), v.string());

/** What an image's files say of its libc, users and groups; remembered by the image's digest. Nothing of the image runs. */
export async function readImageBaseFiles(question: BaseFilesQuestion, tools: Tools): Promise<BaseFiles> {
  const { place, arch, reference } = question;
  const remembered = join(cacheDirectory(tools), "base-files", `${keyOf(place)}-${arch}.json`);
  const known = recall(remembered);
  const found = known ?? (await probe(question, tools));
  const files = readBaseFiles(new Map(Object.entries(found)), { arch, image: reference });
  if (known === undefined) remember(remembered, found);
  return files;
}

function keyOf(place: BaseFilesPlace): string {
  switch (place.kind) {
    case "engine":
      return place.image.id.replace(/^sha256:/, "");
    case "source":
      return place.digest.replace(/^sha256:/, "");
  }
}

async function probe(question: BaseFilesQuestion, tools: Tools): Promise<Record<string, string>> {
  const { place, arch, reference } = question;
  switch (place.kind) {
    case "engine":
      return probeEngine(place, { reference, arch }, tools);
    case "source": {
      const { source, image } = place;
      const wanted = {
        image,
        what: reference,
        paths: probedPaths(arch),
        isText: isProbedText,
        readText: readProbedText,
      };
      return Object.fromEntries(await readLayerFiles(source, wanted));
    }
  }
}

type EnginePlace = Extract<BaseFilesPlace, { kind: "engine" }>;

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
async function probeEngine(
  { engine, image }: EnginePlace,
  { reference, arch }: Pick<BaseFilesQuestion, "reference" | "arch">,
  tools: Tools,
): Promise<Record<string, string>> {
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
    return await withTemporaryDirectory(cacheDirectory(tools), (folder) =>
      copyOut(engine, { id, folder, arch, follow: image.engine === "docker" }),
    );
  } finally {
    await tools.runProcess({ file: engine.path, args: ["rm", "--force", id], env: {} }, { regardless: true });
  }
}

interface CopyOut extends Pick<BaseFilesQuestion, "arch"> {
  /** The container, and the folder that the copies go to. */
  readonly id: string;
  readonly folder: string;
  /** Whether it takes a flag to have symlinks followed: Podman does without. */
  readonly follow: boolean;
}

async function copyOut(engine: Engine, { id, folder, arch, follow }: CopyOut): Promise<Record<string, string>> {
  const entries = await Promise.all(
    probedPaths(arch).map(async (path, index) => {
      const copy = join(folder, String(index));
      const { exitCode } = await engine.ask(["cp", ...(follow ? ["-L"] : []), `${id}:${path}`, copy]);
      const copied = lstatSync(copy, { throwIfNoEntry: false });
      if (exitCode !== 0 || copied === undefined) return [];
      const content = copied.isFile() && copied.size <= maximumText ? readFileSync(copy) : undefined;
      return [[path, isProbedText(path) ? readProbedText(content) : ""] as const];
    }),
  );
  return Object.fromEntries(entries.flat());
}
