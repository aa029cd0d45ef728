import { closeSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LayerSettings, readPrefix } from "../assembly/layer-member.ts";
import { createDockerignore } from "../dockerfile/dockerignore.ts";
import { openReadCapability } from "../host/capability.ts";
import { unreadable } from "../host/read-failure.ts";
import { type ReadEntry, readTree } from "../host/read-tree.ts";
import type { NewLayer } from "../oci/append-layers.ts";
import type { LocalImageSink } from "../oci/content.ts";
import type { ContextStep, CopyStep } from "../plan/build-plan.ts";
import type { SourceFiles } from "../runtime/build-layout.ts";
import { STEP_COMPRESSION, writeLayer } from "../store/write-layer.ts";
import type { PreparedBuild } from "./prepare-build.ts";
import type { Tools } from "./tools.ts";

/** Where the content of steps lies that only bring files. */
export interface FileContents {
  /** The host's folder of each copy step that brings files, by the step's folder. */
  readonly copyFolders: Readonly<Record<string, string>>;
  /** The build's context; null for a plan that takes nothing from it. */
  readonly sourceFiles: SourceFiles | null;
  /** For the texts of a step while its layer is written. */
  readonly temporary: string;
  /** Seconds since 1970: the time of everything. */
  readonly epoch: number;
  readonly parallelism: number;
  readonly signal: AbortSignal;
}

/** What a decided build says of where its files lie. */
export function fileContents(
  { copyFolders, source }: Pick<PreparedBuild, "copyFolders" | "source">,
  { interruption }: Pick<Tools, "interruption">,
): Omit<FileContents, "temporary" | "epoch"> {
  const { signal } = interruption;
  return { copyFolders, sourceFiles: source.files, parallelism: navigator.hardwareConcurrency, signal };
}

/** Writes the layer of a step in which nothing runs. */
export async function writeFileLayer(
  step: CopyStep | ContextStep,
  { contents, sink }: { readonly contents: FileContents; readonly sink: LocalImageSink },
): Promise<NewLayer> {
  const { epoch, parallelism, signal } = contents;
  const { folder, entries, prefix, owner } = contentOf(step, contents);
  let written: NewLayer | undefined;
  const descriptor = await sink.writeNew(async (write) => {
    const settings: LayerSettings = { prefix, owner, epoch, clamp: false };
    written = await writeLayer(entries, {
      folder,
      settings,
      compression: STEP_COMPRESSION,
      parallelism,
      signal,
      write,
    });
    return written.descriptor;
  });
  if (written === undefined) throw new TypeError("The sink did not ask for the layer.");
  return { ...written, descriptor };
}

interface LayerContent {
  readonly folder: string;
  readonly entries: Iterable<ReadEntry>;
  readonly prefix: string;
  readonly owner: LayerSettings["owner"];
}

function contentOf(step: CopyStep | ContextStep, contents: FileContents): LayerContent {
  switch (step.kind) {
    case "copy":
      return { folder: step.folder, entries: copyEntries(step, contents), prefix: "", owner: "keep" };
    case "context": {
      const { sourceFiles } = contents;
      if (sourceFiles === null) throw new TypeError("No build context is known.");
      const filter = createDockerignore(sourceFiles.dockerfileIgnore ?? ownIgnore(sourceFiles.context));
      const entries = readTree(sourceFiles.context, { filter, readCapability: openReadCapability() });
      return { folder: sourceFiles.context, entries, prefix: readPrefix(step.target), owner: { uid: 0, gid: 0 } };
    }
  }
}

function ownIgnore(context: string): string {
  const path = join(context, ".dockerignore");
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, "utf8") : "";
}

/** The step's entries as those of a folder; the folders above them are left to the base. */
function* copyEntries(step: CopyStep, { copyFolders, temporary }: FileContents): Generator<ReadEntry> {
  for (const [index, { path, uid, gid, content }] of step.entries.entries()) {
    const common = { path: path.slice(1), uid, gid, modified: 0 };
    if (content.kind === "directory") {
      const stats = statSync(temporary);
      yield { entry: { ...common, kind: "directory", mode: 0o755 }, stats, file: undefined };
      continue;
    }
    let source: string;
    if (content.kind === "text") {
      source = join(temporary, `${step.folder}-${index}`);
      writeFileSync(source, content.text);
    } else {
      const folder = copyFolders[step.folder];
      if (folder === undefined) throw new TypeError(`No folder of the host is known for the files of ${step.title}.`);
      source = join(folder, content.name);
    }
    const file = openContent(source);
    try {
      const stats = fstatSync(file);
      const entry = { ...common, kind: "file", mode: content.mode, size: stats.size, capability: undefined } as const;
      yield { entry, stats, file };
    } finally {
      closeSync(file);
    }
  }
}

function openContent(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}
