import type { Tools } from "../workflows/tools.ts";
import type { FlagDefinitions, Flags, Positionals } from "./flags.ts";

/** One command: its options as data, and what it does with them; resolves to the exit code. */
export interface CliCommand {
  readonly name: string;
  readonly description: string;
  readonly flags: FlagDefinitions;
  readonly positionals: Positionals;
  /** How the words after the options are called in the usage line. */
  readonly words?: string;
  /** The words after the options that there are, where they are few. */
  readonly wordChoices?: readonly string[];
  /** Throws UsageError for options that exclude each other or are malformed. */
  readonly check?: (flags: Flags) => void;
  readonly run: (flags: Flags, tools: Tools) => Promise<number>;
}

/** A command as the tree knows it before it is loaded, or a group of commands. */
export type CommandEntry = CommandLeaf | CommandGroup;

export interface CommandLeaf {
  readonly description: string;
  readonly load: () => Promise<CliCommand>;
}

/** Commands under a common first word. */
export interface CommandGroup {
  readonly description: string;
  readonly commands: CommandTree;
}

/** Commands and groups by name, in the order of `--help`. */
export type CommandTree = Readonly<Record<string, CommandEntry>>;
