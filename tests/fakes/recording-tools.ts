import { uninterrupted } from "../../src/host/interruption.ts";
import { createLog } from "../../src/host/log.ts";
import type { Tools } from "../../src/workflows/tools.ts";

/** Tools of a run in `directory` that starts no process, and what it prints. */
export type RecordingTools = {
  readonly tools: Tools;
  /** Written to stdout, piece by piece. */
  readonly data: string[];
  /** Written to stderr, piece by piece. */
  readonly messages: string[];
};

/** Tools that keep what is printed; nothing of the machine's environment is in them. */
export function recordingTools(
  directory: string,
  { dataIsLive = false, messagesAreLive = false } = {},
): RecordingTools {
  const data: string[] = [];
  const messages: string[] = [];
  const terminal = {
    writeData: (text: string) => void data.push(text),
    writeMessage: (text: string) => void messages.push(text),
    messagesAreLive,
    dataIsLive,
    colors: false,
    columns: () => 80,
  };
  const tools: Tools = {
    environment: { XDG_CACHE_HOME: `${directory}/cache` },
    workingDirectory: directory,
    homeDirectory: directory,
    terminal,
    log: createLog(terminal, { level: "info", format: "text", quiet: false }, () => 0),
    runProcess: () => Promise.reject(new TypeError("no process is needed")),
    interruption: uninterrupted,
  };
  return { tools, data, messages };
}
