import { Interrupted } from "../errors.ts";

/** The signals that end a run. */
export type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** What long work listens to. */
export interface Interruption {
  /** Aborted with an `Interrupted` as its reason when the process gets SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Hands signals, SIGHUP too, to `take` instead, until the returned function is called: for while a child has the terminal. */
  readonly divert?: (take: (name: EndingSignal) => void) => () => void;
}

/** Turns the process's first SIGINT or SIGTERM into an aborted signal, so that `finally` blocks clean up; a second one exits at once. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let diverted: ((name: EndingSignal) => void) | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (diverted !== undefined) return diverted(name);
      const reason = new Interrupted(name);
      if (controller.signal.aborted) process.exit(reason.exitCode);
      controller.abort(reason);
    });
  }
  return {
    signal: controller.signal,
    divert: (take) => {
      const onHangup = () => take("SIGHUP");
      diverted = take;
      process.on("SIGHUP", onHangup);
      return () => {
        diverted = undefined;
        process.off("SIGHUP", onHangup);
      };
    },
  };
}

/** A signal that never fires, for work outside a terminal session. */
export const uninterrupted: Interruption = { signal: new AbortController().signal, divert: () => () => {} };
