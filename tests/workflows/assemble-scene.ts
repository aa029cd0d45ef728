import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APPEND_FLAGS, ASSEMBLE_FLAGS, readAppendRequest, readAssembleRequest } from "../../src/cli/assemble-flags.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { uninterrupted } from "../../src/host/interruption.ts";
import { createLog } from "../../src/host/log.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import type { Terminal } from "../../src/host/terminal.ts";
import { readTar, type TarEntry } from "../../src/oci/tar.ts";
import type { TransferObserver } from "../../src/oci/transfer-image.ts";
import { assembleImage } from "../../src/workflows/assemble-image.ts";
import type { AssembledImage } from "../../src/workflows/assemble-request.ts";
import type { Tools } from "../../src/workflows/tools.ts";

const silent: Terminal = {
  writeData: () => {},
  writeMessage: () => {},
  messagesAreLive: false,
  dataIsLive: false,
  colors: false,
  columns: () => 80,
};

/** Tools whose current folder and home are `folder`. */
export function toolsIn(folder: string, environment: Record<string, string> = {}): Tools {
  return {
    environment,
    workingDirectory: folder,
    homeDirectory: folder,
    terminal: silent,
    log: createLog(silent, { level: "error", format: "text", quiet: true }, () => 0),
    runProcess: createRunProcess(environment, uninterrupted),
    interruption: uninterrupted,
  };
}

/** A new folder that is gone after `use`. */
export async function withFolder<T>(use: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-assemble-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const unobserved: TransferObserver = { found: () => {}, passed: () => {}, done: () => {} };

/** `image assemble` with these words after it, in `folder`. */
export function assemble(
  folder: string,
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<AssembledImage> {
  const tools = toolsIn(folder, environment);
  const flags = parseFlags(ASSEMBLE_FLAGS, argv, { kind: "words", atMost: 1 });
  return assembleImage(readAssembleRequest(flags, tools), { observer: unobserved }, tools);
}

/** `image append` with these words after it, in `folder`. */
export function append(
  folder: string,
  argv: readonly string[],
  environment: Record<string, string> = {},
): Promise<AssembledImage> {
  const tools = toolsIn(folder, environment);
  const flags = parseFlags(APPEND_FLAGS, argv, { kind: "words", atMost: 100 });
  return assembleImage(readAppendRequest(flags, tools), { observer: unobserved }, tools);
}

/** The members of a tar file. */
export function membersOf(path: string): TarEntry[] {
  return [...readTar(readFileSync(path))];
}

/** A member's content; throws when there is none. */
export function contentOf(members: readonly TarEntry[], path: string): Uint8Array {
  const found = members.find((member) => member.path === path);
  if (found?.kind !== "file") throw new Error(`no file ${path} in the archive`);
  return found.content;
}

/** A member read as JSON. */
export function jsonOf(members: readonly TarEntry[], path: string) {
  return JSON.parse(new TextDecoder().decode(contentOf(members, path)));
}
