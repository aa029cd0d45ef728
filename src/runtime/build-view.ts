import type { Log } from "../host/log.ts";
import type { Terminal } from "../host/terminal.ts";
import type { FeatureStep } from "../plan/build-plan.ts";
import { createBuildLogReader } from "./build-log.ts";
import { advanceSteps, type BuildStepState, type BuildSteps } from "./build-steps.ts";

/** Shows a running build and remembers its steps. */
export interface BuildView {
  readonly onOutput: (text: string) => void;
  /** Takes the live lines off the screen; gives the steps as they ended. */
  readonly end: () => BuildSteps;
}

/** How a build is shown: `live` lines that change, `plain` output as it comes, or nothing. */
export type ViewKind = "live" | "plain" | "none";

/** What the view writes to and tells time by; `now` gives milliseconds. */
export interface ViewTools {
  readonly terminal: Terminal;
  readonly log: Log;
  readonly now: () => number;
}

/** A view of a build of these Features. */
export function createBuildView(kind: ViewKind, features: readonly FeatureStep[], tools: ViewTools): BuildView {
  const read = createBuildLogReader();
  const live = kind === "live" ? createLiveLines(tools) : undefined;
  let steps: BuildSteps = new Map();
  let unfinished = "";

  const takeLine = (line: string) => {
    for (const event of read(line)) {
      steps = advanceSteps(steps, event, features);
      if (event.kind !== "other") live?.update(event.key, steps.get(event.key));
    }
  };
  return {
    onOutput: (text) => {
      if (kind === "plain") tools.log.raw(text);
      const lines = (unfinished + text).split(/\r?\n/);
      unfinished = lines.pop() ?? "";
      for (const line of lines) takeLine(line);
    },
    end: () => {
      if (unfinished !== "") takeLine(unfinished);
      unfinished = "";
      live?.end();
      return steps;
    },
  };
}

interface LiveLines {
  readonly update: (key: string, state: BuildStepState | undefined) => void;
  readonly end: () => void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const WORTH_TELLING_MILLISECONDS = 1000;
const REFRESH_MILLISECONDS = 100;

/** Finished steps scroll away above the lines of those that run, which are redrawn in place. */
function createLiveLines({ terminal, now }: ViewTools): LiveLines {
  const began = new Map<string, number>();
  const running = new Map<string, BuildStepState>();
  let drawn = 0;
  let frame = 0;

  const erase = () => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`);
  const seconds = (key: string) => `${((now() - (began.get(key) ?? now())) / 1000).toFixed(1)}s`;
  const paint = (color: number, text: string) => (terminal.colors ? `\u001b[${color}m${text}\u001b[0m` : text);
  const fit = (text: string, reserved: number) => {
    const room = Math.max(20, terminal.columns() - reserved);
    return text.length > room ? `${text.slice(0, room - 1)}…` : text;
  };
  const redraw = (finished: string) => {
    const lines = [...running].map(([key, state]) => {
      const last = state.tail.at(-1)?.trim() ?? "";
      const title = fit(state.title, 12);
      const detail = last === "" ? "" : ` ${paint(2, fit(Bun.stripANSI(last), title.length + 14))}`;
      return `${paint(36, FRAMES[frame % FRAMES.length] ?? "")} ${title} ${paint(2, seconds(key))}${state.title.length + 40 > terminal.columns() ? "" : detail}\n`;
    });
    terminal.writeMessage(`${erase()}${finished}${lines.join("")}`);
    drawn = lines.length;
  };
  const timer = setInterval(() => {
    frame += 1;
    if (running.size > 0) redraw("");
  }, REFRESH_MILLISECONDS);

  return {
    update: (key, state) => {
      if (state === undefined) return;
      if (!began.has(key)) began.set(key, now());
      if (state.status === "running") {
        running.set(key, state);
        return;
      }
      // BuildKit may tell more than once how a step ended.
      if (!running.delete(key)) return;
      const brief = now() - (began.get(key) ?? now()) < WORTH_TELLING_MILLISECONDS;
      const untold = state.internal && brief && state.status !== "failed";
      redraw(untold ? "" : finishedLine(state, seconds(key), { paint, fit }));
    },
    end: () => {
      clearInterval(timer);
      running.clear();
      redraw("");
    },
  };
}

interface LinePaint {
  readonly paint: (color: number, text: string) => string;
  readonly fit: (text: string, reserved: number) => string;
}

function finishedLine(state: BuildStepState, seconds: string, { paint, fit }: LinePaint): string {
  const title = fit(state.title, 14);
  switch (state.status) {
    case "done":
      return `${paint(32, "✔")} ${title} ${paint(2, seconds)}\n`;
    case "cached":
      return `${paint(32, "✔")} ${title} ${paint(2, "cached")}\n`;
    case "failed":
      return `${paint(31, "✘")} ${title} ${paint(2, seconds)}\n`;
    case "running":
      return "";
  }
}
