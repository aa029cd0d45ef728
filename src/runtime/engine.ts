import { UserError } from "../errors.ts";
import type { ProcessResult, RunProcess, SpawnOptions } from "../host/spawn.ts";
import type { Command } from "../plan/command.ts";
import { failedCommand, unreachableEngine, unreachableReason } from "./engine-failure.ts";
import { type LocalImage, readImageInspection } from "./local-image.ts";

/** A container engine behind a command-line client, or what takes its place; nothing is asked of it before it is needed. */
export interface Engine {
  /** `native` is cooper itself, with its own store; `none` has nothing and runs nothing. Neither takes commands. */
  readonly kind: "client" | "native" | "none";
  readonly path: string;
  /** The images of these references that the engine's store has. */
  readonly inspectImages: (references: readonly string[]) => Promise<ReadonlyMap<string, LocalImage>>;
  /** Runs one of the engine's commands; throws UserError with the end of its output when it fails. */
  readonly run: (command: Command, options?: SpawnOptions) => Promise<void>;
  /** As `run`, but any exit code is an answer. */
  readonly ask: (args: readonly string[]) => Promise<ProcessResult>;
  /** Asks a program of the host beside the engine; null when it is not installed. */
  readonly askHost: (file: string, args: readonly string[]) => Promise<ProcessResult | null>;
}

const TAIL_CHARACTERS = 64 * 1024;

/** The engine that `path` is a client of, docker's or podman's. */
export function createEngine(path: string, runProcess: RunProcess): Engine {
  const command = (args: readonly string[]): Command => ({ file: path, args, env: {} });
  const ask = (args: readonly string[]) => runProcess(command(args));
  return {
    kind: "client",
    path,
    ask,
    askHost: (file, args) => runProcess({ file, args, env: {} }).catch(() => null),
    async inspectImages(references) {
      const wanted = [...new Set(references)];
      const refused = wanted.find((reference) => reference.startsWith("-"));
      if (refused !== undefined) throw new UserError(`${JSON.stringify(refused)} is not the name of an image.`);
      // With nothing to look for, the question is whether the engine answers.
      const args = wanted.length === 0 ? ["version", "--format", "[]"] : ["image", "inspect", ...wanted];
      const { exitCode, stdout, stderr } = await ask(args);
      const reason = exitCode === 0 ? undefined : unreachableReason(stderr);
      if (reason !== undefined) throw unreachableEngine(path, reason, stderr);
      if (exitCode !== 0 && !/no such image|image not known|not found|no such object/i.test(stderr)) {
        throw failedCommand(command(args), exitCode, stderr);
      }
      return readImageInspection(wanted, stdout);
    },
    async run(toRun, options) {
      let tail = "";
      const result = await runProcess(toRun, {
        ...options,
        onOutput: (text, stream) => {
          tail = (tail + text).slice(-TAIL_CHARACTERS);
          options?.onOutput?.(text, stream);
        },
      });
      if (result.exitCode !== 0) throw failedCommand(toRun, result.exitCode, tail);
    },
  };
}
