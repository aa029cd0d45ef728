import { Interrupted } from "../errors.ts";
import type { Log } from "../host/log.ts";
import type { Command } from "../plan/command.ts";
import type { Tools } from "./tools.ts";

/** How a process is told of while it runs. */
export interface Announcement {
  /** Above its output. */
  readonly title: string;
  /** What progress is told under, such as `Running postCreateCommand...`. */
  readonly progress: string;
  /** What it does, as long as it does not say so itself. */
  readonly detail: string;
  /** For a process of the host. */
  readonly workingDirectory?: string;
}

/** How it ended, and the last lines of what it printed. */
export interface AnnouncedResult {
  readonly exitCode: number;
  readonly tail: string;
}

const TAIL_CHARACTERS = 64 * 1024;
const TAIL_LINES = 15;

/**
 * Runs a process and tells of it: title, output, and progress with what the process says that it does (`::step::<text>`,
 * `::endstep::`). Throws Interrupted when a signal ended us or, by its exit code, the process.
 */
export async function runAnnounced(
  command: Command,
  announcement: Announcement,
  tools: Pick<Tools, "runProcess" | "log">,
): Promise<AnnouncedResult> {
  const { title, progress, workingDirectory } = announcement;
  const onLine = followSteps(announcement, tools.log);
  tools.log.raw(`\u001b[1m${title}\u001b[0m\n\n`);
  let tail = "";
  let line = "";
  const onOutput = (text: string) => {
    tail = (tail + text).slice(-TAIL_CHARACTERS);
    tools.log.raw(text);
    const lines = (line + text).split(/\r?\n/);
    line = lines.pop() ?? "";
    lines.forEach(onLine);
  };
  let succeeded = false;
  try {
    const place = workingDirectory === undefined ? {} : { workingDirectory };
    const { exitCode } = await tools.runProcess(command, { onOutput, ...place });
    if (exitCode === 130) throw new Interrupted("SIGINT");
    succeeded = exitCode === 0;
    return { exitCode, tail: tail.trimEnd().split("\n").slice(-TAIL_LINES).join("\n") };
  } finally {
    tools.log.progress(progress, succeeded ? "succeeded" : "failed");
  }
}

function followSteps({ progress, detail }: Announcement, log: Log): (line: string) => void {
  log.progress(progress, "running", detail);
  return (line) => {
    if (line === "::endstep::") log.progress(progress, "running", detail);
    else if (line.startsWith("::step::")) log.progress(progress, "running", line.slice("::step::".length));
  };
}
