import type { Interruption } from "../host/interruption.ts";
import type { Log } from "../host/log.ts";
import type { RunProcess } from "../host/spawn.ts";
import type { Terminal } from "../host/terminal.ts";

/** What workflows act with; made once in `main.ts`. */
export interface Tools {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  readonly terminal: Terminal;
  readonly log: Log;
  readonly runProcess: RunProcess;
  readonly interruption: Interruption;
}
