import type { Check } from "../runtime/diagnosis/check.ts";
import { type DiagnoseRequest, diagnoseMachine } from "../workflows/diagnose.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS, logSettings } from "./flag-groups.ts";
import type { Flags } from "./flags.ts";
import { printFailure } from "./outcome.ts";
import { renderChecks } from "./render-checks.ts";

const LIMIT_MILLISECONDS = 10_000;
const PATIENCE_MILLISECONDS = 1000;

/** `doctor`: what is in order on this machine and what is not, with the remedy; exit code 1 when something is a problem. */
export const doctor: CliCommand = {
  name: "doctor",
  description: "Check the engine, its builder, credentials and disk, and say what to mend",
  flags: {
    "docker-path": ENGINE_FLAGS["docker-path"],
    backend: {
      type: "string",
      choices: ["auto", "engine", "native"],
      default: "auto",
      description:
        "What to examine: docker and podman (engine), cooper's own engine (native), or what builds would take",
    },
    run: {
      type: "boolean",
      description: "Also build a tiny image and run it; nothing is pulled, and nothing is left behind",
    },
    json: { type: "boolean", description: "Print one JSON document instead of lines for people" },
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  run: async (flags, tools) => {
    const json = flags.boolean("json");
    try {
      const checks = await whileShowingPatience({ flags, tools }, () => diagnoseMachine(readRequest(flags), tools));
      const ok = checks.every(({ status }) => status !== "problem");
      tools.terminal.writeData(
        json
          ? `${JSON.stringify({ checks: checks.map(inOrder), ok }, null, 2)}\n`
          : renderChecks(checks, appearance(tools)),
      );
      return ok ? 0 : 1;
    } catch (error) {
      if (!json) throw error;
      return printFailure(tools, "An error occurred examining this machine.", error);
    }
  },
};

function readRequest(flags: Flags): DiagnoseRequest {
  const backend = flags.string("backend");
  return {
    backend: backend === "engine" || backend === "native" ? backend : "auto",
    dockerPath: flags.string("docker-path"),
    testRun: flags.boolean("run"),
    limitMilliseconds: LIMIT_MILLISECONDS,
  };
}

/** The same keys in the same order for every check. */
function inOrder({ id, status, title, detail, remedy }: Check): Check {
  return { id, status, title, detail, ...(remedy === undefined ? {} : { remedy }) };
}

/** What is not printed on a terminal is neither wrapped nor, unless the user forces them, coloured. */
function appearance({ terminal, environment }: Tools) {
  const forced = (environment["FORCE_COLOR"] ?? "") !== "";
  return {
    columns: terminal.dataIsLive ? terminal.columns() : Number.POSITIVE_INFINITY,
    colors: terminal.colors && (terminal.dataIsLive || forced),
  };
}

/** An engine that hangs is waited for: says so on a terminal, and takes it back. */
async function whileShowingPatience<T>(
  { flags, tools: { terminal } }: { flags: Flags; tools: Tools },
  work: () => Promise<T>,
): Promise<T> {
  const { format, quiet } = logSettings(flags);
  let shown = false;
  const timer = setTimeout(() => {
    shown = terminal.messagesAreLive && format === "text" && !quiet;
    if (shown) terminal.writeMessage("Waiting for answers…");
  }, PATIENCE_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (shown) terminal.writeMessage("\r\u001b[K");
  }
}
