import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { ProcessResult, RunProcess, SpawnOptions } from "../host/spawn.ts";
import { sandboxCommand, type WorkerStart } from "./sandbox-command.ts";
import { absentAccount, overlayRefused, sandboxRefused, stepTimedOut, unstartable } from "./sandbox-failure.ts";
import { SANDBOX_FOLDER, type SandboxRequest, type SandboxResult, sandboxResultSchema } from "./sandbox-request.ts";

/** A process to run over layers, in a folder of its own that is there and has nothing else in it. */
export interface SandboxStep {
  readonly folder: string;
  readonly request: Omit<SandboxRequest, "fuseOverlayfs">;
  readonly timeoutSeconds?: number | undefined;
}

/** How a step ended: what it changed lies in the folder's `upper`, but for `made`, which are mount points there. */
export interface SandboxEnd {
  readonly exitCode: number;
  readonly made: readonly string[];
}

/** Runs processes in namespaces of their own over layers. */
export interface Sandbox {
  /** Runs a step to its end, which is the end of all that it started. Throws UserError, UnstartableStep among them, when it could not start or ran too long. */
  readonly run: (step: SandboxStep, options?: Pick<SpawnOptions, "onOutput" | "stdio">) => Promise<SandboxEnd>;
}

/** How much of what `unshare` and its like complain of is kept. */
const COMPLAINTS = 4096;

/** Of what was ended with this process. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** The sandbox of this machine. */
export function createSandbox(start: WorkerStart, runProcess: RunProcess): Sandbox {
  return {
    async run({ folder, request, timeoutSeconds }, options = {}) {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      const whole: SandboxRequest = { ...request, fuseOverlayfs: start.means.fuseOverlayfs };
      writeFileSync(join(folder, SANDBOX_FOLDER.request), JSON.stringify(whole), { mode: 0o600 });
      const command = await sandboxCommand(start, { folder, network: request.network, stdio: request.stdio });
      const began = performance.now();
      const piped = options.stdio === undefined;
      const limit = timeoutSeconds === undefined ? {} : { timeoutMilliseconds: timeoutSeconds * 1000 };
      let ended: ProcessResult;
      let complaints = "";
      const onOutput: SpawnOptions["onOutput"] = (text, stream) => {
        if (stream === "stderr") complaints = (complaints + text).slice(-COMPLAINTS);
        options.onOutput?.(text, stream);
      };
      try {
        const output = piped ? { lifeline: true, onOutput } : {};
        ended = { ...(await runProcess(command, { ...options, ...limit, ...output })), stderr: complaints };
      } catch (error) {
        const isLate = timeoutSeconds !== undefined && performance.now() - began >= timeoutSeconds * 1000;
        throw isLate && error instanceof UserError ? stepTimedOut(timeoutSeconds) : error;
      }
      const result = readResult(folder);
      if (result === undefined) {
        if (ended.signal !== undefined) return { exitCode: EXIT_CODES[ended.signal], made: [] };
        throw sandboxRefused(start.means, { ended });
      }
      switch (result.kind) {
        case "ended":
          return { exitCode: result.exitCode, made: result.made };
        case "refused":
          throw result.overlay
            ? overlayRefused(start.means, { folder, code: result.code })
            : sandboxRefused(start.means, { ended, refusal: result });
        case "unstartable":
          throw unstartable(result);
        case "no account":
          throw absentAccount(result);
      }
    },
  };
}

function readResult(folder: string): SandboxResult | undefined {
  const path = join(folder, SANDBOX_FOLDER.result);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return text.trim() === "" ? undefined : v.parse(sandboxResultSchema, JSON.parse(text));
}
