import { homedir } from "node:os";
import { listenForInterruption } from "../host/interruption.ts";
import { createLog } from "../host/log.ts";
import { createRunProcess } from "../host/spawn.ts";
import { createTerminal, type Terminal } from "../host/terminal.ts";
import { nearestName } from "../nearest-name.ts";
import { VERSION } from "../version.ts";
import type { Tools } from "../workflows/tools.ts";
import type { CliCommand, CommandTree } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { logSettings } from "./flag-groups.ts";
import { type Flags, type Positionals, parseFlags, UsageError } from "./flags.ts";
import { reportFailure } from "./report-failure.ts";
import { type Program, renderCommandUsage, renderProgramUsage, type UsageSettings } from "./usage.ts";

/** Runs the command line `argv` of the program invoked as `invokedAs`; resolves to the exit code. */
export async function runCli(argv: readonly string[], invokedAs: string): Promise<number> {
  const terminal = createTerminal(process.env);
  const program: Program = {
    name: invokedAs.startsWith("devcontainer") ? "devcontainer" : "cooper",
    version: VERSION,
    description: "Makes containers: dev containers with Features, built from one binary",
  };
  return runTree(COMMANDS, { argv, terminal, program });
}

/** Finds the command that the first words name, through groups; a group alone or an unknown word is told with the usage. */
async function runTree(tree: CommandTree, line: CommandLine): Promise<number> {
  const { argv, terminal, program } = line;
  const [name, ...rest] = argv;
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    terminal.writeData(`${await renderProgramUsage(program, tree, usageSettings(terminal))}\n`);
    return 0;
  }
  if (name === "--version" || name === "-v") {
    terminal.writeData(`${VERSION}\n`);
    return 0;
  }
  const entry = name === undefined || !Object.hasOwn(tree, name) ? undefined : tree[name];
  if (name === undefined || entry === undefined) {
    const usage = await renderProgramUsage(program, tree, usageSettings(terminal));
    terminal.writeMessage(`${usage}\n\n${unknownCommand(name, tree)}\n`);
    return 1;
  }
  if ("commands" in entry) {
    const group = { ...program, name: `${program.name} ${name}`, description: entry.description };
    return runTree(entry.commands, { ...line, argv: rest, program: group });
  }
  return runCommand(await entry.load(), { ...line, argv: rest });
}

interface CommandLine {
  readonly argv: readonly string[];
  readonly terminal: Terminal;
  readonly program: Program;
}

async function runCommand(command: CliCommand, { argv, terminal, program }: CommandLine): Promise<number> {
  const helpAt = argv.findIndex((word) => word === "--help" || word === "-h");
  const asksForHelp = isForUs(helpAt, command.positionals);
  if (asksForHelp) {
    terminal.writeData(`${await renderCommandUsage(program, command, usageSettings(terminal))}\n`);
    return 0;
  }
  let flags: Flags;
  try {
    flags = parseFlags(command.flags, argv, command.positionals);
    command.check?.(flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const usage = await renderCommandUsage(program, command, usageSettings(terminal));
    terminal.writeMessage(`${usage}\n\n${error.message}\n`);
    return 1;
  }
  const tools = createTools(terminal, flags);
  try {
    return await command.run(flags, tools);
  } catch (error) {
    return reportFailure(error, tools);
  }
}

/** Whether a --help at this place of the words is ours, and not of the command that they are passed to. */
function isForUs(helpAt: number, positionals: Positionals): boolean {
  switch (positionals.kind) {
    case "words":
      return helpAt !== -1;
    case "verbatim":
      return helpAt === 0;
    case "everything":
      return false;
  }
}

function createTools(terminal: Terminal, flags: Flags): Tools {
  const interruption = listenForInterruption();
  return {
    environment: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: process.env["HOME"] || homedir(),
    terminal,
    log: createLog(terminal, logSettings(flags), Date.now),
    runProcess: createRunProcess(process.env, interruption),
    interruption,
  };
}

function unknownCommand(name: string | undefined, tree: CommandTree): string {
  if (name === undefined) return "Not enough non-option arguments: got 0, need at least 1";
  const nearest = nearestName(name, Object.keys(tree));
  return `Unknown argument: ${name.replace(/^-+/, "")}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`;
}

function usageSettings(terminal: Terminal): UsageSettings {
  return { columns: terminal.columns(), colors: terminal.colors };
}
