import type { CliCommand, CommandTree } from "./command.ts";
import { type CompletedCommand, type CompletedProgram, renderCompletion, SHELLS } from "./completion-script.ts";
import { LOG_FLAGS } from "./flag-groups.ts";
import { UsageError } from "./flags.ts";

/** `completion <shell>`: prints a script that completes commands, options and their choices. */
export function createCompletion(commands: CommandTree): CliCommand {
  return {
    name: "completion",
    description: "Print a completion script for bash, zsh, fish or powershell",
    flags: LOG_FLAGS,
    positionals: { kind: "words", atMost: 1 },
    words: "shell",
    wordChoices: SHELLS,
    check: (flags) => {
      const [shell] = flags.positionals;
      if (!SHELLS.some((known) => known === shell)) {
        throw new UsageError(
          `Name a shell: ${SHELLS.join(", ")}; found ${shell === undefined ? "none" : JSON.stringify(shell)}.`,
        );
      }
    },
    run: async (flags, tools) => {
      const program = await loadProgram(commands);
      const shell = SHELLS.find((known) => known === flags.positionals[0]) ?? "bash";
      tools.terminal.writeData(renderCompletion(shell, program));
      return 0;
    },
  };
}

async function loadProgram(tree: CommandTree): Promise<CompletedProgram> {
  const groups = Object.entries(tree).flatMap(([name, entry]) =>
    "commands" in entry ? [[name, entry.description]] : [],
  );
  return { commands: await loadAll(tree, []), groups: Object.fromEntries(groups) };
}

async function loadAll(tree: CommandTree, words: readonly string[]): Promise<CompletedCommand[]> {
  const loaded = await Promise.all(
    Object.entries(tree).map(async ([name, entry]) => {
      const path = [...words, name];
      return "commands" in entry ? loadAll(entry.commands, path) : [{ path, command: await entry.load() }];
    }),
  );
  return loaded.flat();
}
