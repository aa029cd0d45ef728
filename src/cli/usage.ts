import type { ArgsDef, CommandDef } from "citty";
import type { CliCommand, CommandTree } from "./command.ts";
import type { FlagDefinition } from "./flags.ts";

/** How the program calls itself, and which version it is. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly description: string;
}

/** `columns` is the terminal's width; lines are wrapped to it. */
export interface UsageSettings {
  readonly columns: number;
  readonly colors: boolean;
}

/** The usage text of the whole program, or of a group of its commands. */
export async function renderProgramUsage(
  program: Program,
  commands: CommandTree,
  settings: UsageSettings,
): Promise<string> {
  const { renderUsage } = await import("citty");
  const subCommands = Object.fromEntries(
    Object.entries(commands).map(([name, { description }]) => [name, { meta: { name, description } }]),
  );
  return layOut(await renderUsage({ meta: { ...program }, subCommands }), settings);
}

/** The usage text of one command, hidden options left out. */
export async function renderCommandUsage(
  program: Program,
  command: CliCommand,
  settings: UsageSettings,
): Promise<string> {
  const { renderUsage } = await import("citty");
  return layOut(await renderUsage(toCitty(command), { meta: { ...program } }), settings);
}

const WIDEST = 120;

/** citty neither wraps nor trims: descriptions too long for the line go on below where they began. */
function layOut(usage: string, { columns, colors }: UsageSettings): string {
  const text = colors ? usage : Bun.stripANSI(usage);
  const width = Math.min(columns, WIDEST);
  return text
    .split("\n")
    .map((line) => wrapDescription(line.trimEnd(), width))
    .join("\n");
}

function wrapDescription(line: string, width: number): string {
  const plain = Bun.stripANSI(line);
  const described = /^ +-.*? {2,}(?=\S)|^ +\S+ {2,}(?=\S)/.exec(plain)?.[0].length;
  if (plain.length <= width || described === undefined || width - described < 20) return line;
  const description = plain.slice(described);
  const lines = [""];
  for (const word of description.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + 1 + word.length > width - described) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  const head = line.slice(0, line.length - description.length);
  return head + lines.join(`\n${" ".repeat(described)}`);
}

function toCitty(command: CliCommand): CommandDef<ArgsDef> {
  const options = Object.entries(command.flags).filter(([, { hidden }]) => hidden !== true);
  const words: ArgsDef =
    command.words === undefined ? {} : { [command.words]: { type: "positional", required: false } };
  return {
    meta: { name: command.name, description: command.description },
    args: { ...words, ...Object.fromEntries(options.map(([name, flag]) => [name, toCittyArgument(flag)])) },
  };
}

function toCittyArgument(flag: FlagDefinition): ArgsDef[string] {
  // citty would offer a `--no-` form for every default: the default is told in words instead.
  const fallback = flag.default === undefined || flag.default === false ? "" : ` (default: ${flag.default})`;
  const description = `${flag.description}${flag.multiple === true ? " (repeatable)" : ""}${fallback}`;
  const alias = flag.short === undefined ? {} : { alias: flag.short };
  if (flag.type === "boolean") return { type: "boolean", description, ...alias };
  if (flag.choices !== undefined) return { type: "enum", options: [...flag.choices], description, ...alias };
  return {
    type: "string",
    description,
    ...alias,
    ...(flag.valueHint === undefined ? {} : { valueHint: flag.valueHint }),
  };
}
