import { createInterface } from "node:readline/promises";
import { isatty } from "node:tty";
import type { Interruption } from "./interruption.ts";

/** True when there is somebody to ask: stdin and stderr are a terminal. */
export function canAsk(): boolean {
  return isatty(0) && isatty(2);
}

/** Asks a yes-or-no question on stderr; anything but a yes is a no, the end of the input too. Throws Interrupted on a signal. */
export async function askTerminal(question: string, interruption: Interruption): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    // The end of the input leaves the question open.
    const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    const asked = lines.question(`${question} [y/N] `, { signal: interruption.signal });
    const answer = await Promise.race([asked, ended]);
    return /^y(?:es)?$/i.test(answer.trim());
  } catch (error) {
    interruption.signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
