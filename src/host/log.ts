import { createConsola } from "consola/core";
import type { Terminal } from "./terminal.ts";

/** Levels by name, from least to most said. */
export const LOG_LEVELS = ["error", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = "text" | "json";
type MessageLevel = "error" | "warning" | "info" | "debug" | "trace";

/** What a run says on stderr: lines for people, or the reference CLI's JSON events, one per line. */
export interface Log {
  readonly error: (text: string) => void;
  readonly warning: (text: string) => void;
  readonly info: (text: string) => void;
  readonly debug: (text: string) => void;
  readonly trace: (text: string) => void;
  /** A process's own output, line breaks included. */
  readonly raw: (text: string) => void;
  /** Announces work; the returned function says that it ended. */
  readonly start: (text: string) => () => void;
  readonly progress: (name: string, status: "running" | "succeeded" | "failed", stepDetail?: string) => void;
}

/** How much is said, and in which form. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly quiet: boolean;
}

/** The numbers that JSON events carry. */
const EVENT_LEVELS = { trace: 1, debug: 2, info: 3, warning: 4, error: 5 } as const;
const CONSOLA_LEVELS = { error: 1, info: 3, debug: 4, trace: 5 } as const;
const COLORS = {
  error: "\u001b[31m",
  warning: "\u001b[33m",
  info: "",
  debug: "\u001b[2m",
  trace: "\u001b[2m",
} as const;
const RESET = "\u001b[0m";

/** A log that writes to the terminal's stderr; `now` gives milliseconds since the epoch. */
export function createLog(terminal: Terminal, settings: LogSettings, now: () => number): Log {
  return settings.format === "json" ? createJsonLog(terminal, now) : createTextLog(terminal, settings, now);
}

function createTextLog(terminal: Terminal, settings: LogSettings, now: () => number): Log {
  const consola = createConsola({
    level: settings.quiet ? CONSOLA_LEVELS.error : CONSOLA_LEVELS[settings.level],
    // Repeated lines are a process's own affair: none is withheld.
    throttle: 0,
    reporters: [
      {
        log: (entry) => {
          const level =
            entry.type === "warn"
              ? "warning"
              : entry.type === "error" || entry.type === "debug" || entry.type === "trace"
                ? entry.type
                : "info";
          const prefix = level === "warning" ? "warning: " : level === "error" ? "error: " : "";
          const color = terminal.colors ? COLORS[level] : "";
          terminal.writeMessage(`${color}${prefix}${entry.args.join(" ")}${color === "" ? "" : RESET}\n`);
        },
      },
    ],
  });
  const shows = (level: LogLevel) => !settings.quiet && LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(settings.level);
  return {
    error: (text) => consola.error(text),
    warning: (text) => consola.warn(text),
    info: (text) => consola.info(text),
    debug: (text) => consola.debug(text),
    trace: (text) => consola.trace(text),
    raw: (text) => {
      if (shows("info")) terminal.writeMessage(terminal.colors ? text : Bun.stripANSI(text));
    },
    start: (text) => {
      const began = now();
      consola.debug(`Start: ${text}`);
      return () => consola.debug(`Stop (${now() - began} ms): ${text}`);
    },
    progress: (name, status, stepDetail) => {
      if (status !== "running") consola.debug(`${name} ${status}${stepDetail === undefined ? "" : `: ${stepDetail}`}`);
    },
  };
}

function createJsonLog(terminal: Terminal, now: () => number): Log {
  const write = (event: object) => terminal.writeMessage(`${JSON.stringify(event)}\n`);
  const text = (level: MessageLevel) => (message: string) =>
    write({ type: "text", level: EVENT_LEVELS[level], timestamp: now(), text: message });
  return {
    error: text("error"),
    warning: text("warning"),
    info: text("info"),
    debug: text("debug"),
    trace: text("trace"),
    raw: (message) => write({ type: "raw", level: EVENT_LEVELS.info, timestamp: now(), text: message }),
    start: (message) => {
      const startTimestamp = now();
      write({ type: "start", level: EVENT_LEVELS.debug, timestamp: startTimestamp, text: message });
      return () => write({ type: "stop", level: EVENT_LEVELS.debug, timestamp: now(), text: message, startTimestamp });
    },
    progress: (name, status, stepDetail) =>
      write({ type: "progress", name, status, ...(stepDetail === undefined ? {} : { stepDetail }) }),
  };
}
