import { writeSync } from "node:fs";

/** Where a run prints: data on stdout, everything else on stderr, and what the terminal behind stderr can show. */
export interface Terminal {
  readonly writeData: (text: string) => void;
  readonly writeMessage: (text: string) => void;
  readonly messagesAreLive: boolean;
  readonly dataIsLive: boolean;
  readonly colors: boolean;
  readonly columns: () => number;
}

/** The process's terminal, as NO_COLOR, FORCE_COLOR, CI and TERM describe it. */
export function createTerminal(environment: Readonly<Record<string, string | undefined>>): Terminal {
  const isTerminal = process.stderr.isTTY === true;
  const dumb = environment["TERM"] === "dumb";
  const inCi = (environment["CI"] ?? "") !== "" && environment["CI"] !== "false";
  const forced = (environment["FORCE_COLOR"] ?? "") !== "" && environment["FORCE_COLOR"] !== "0";
  const refused = (environment["NO_COLOR"] ?? "") !== "" || environment["FORCE_COLOR"] === "0";
  return {
    writeData: (text) => writeAll(1, text),
    writeMessage: (text) => writeAll(2, text),
    messagesAreLive: isTerminal && !dumb && !inCi,
    dataIsLive: process.stdout.isTTY === true,
    colors: !refused && (forced || (isTerminal && !dumb)),
    columns: () => process.stderr.columns || 80,
  };
}

/** Writes all of it before returning, so that an exit right after loses nothing; a reader that went away is no error. */
function writeAll(descriptor: 1 | 2, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
    }
  }
}
