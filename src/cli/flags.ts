import { parseArgs } from "node:util";
import { nearestName } from "../nearest-name.ts";

/** One option of a command; `multiple` collects repeats, `hidden` keeps it out of `--help` and completions. */
export interface FlagDefinition {
  readonly type: "string" | "boolean" | "number";
  readonly description: string;
  readonly multiple?: boolean;
  readonly choices?: readonly string[];
  /** For one with choices: a following word that is none of them is not its value, which is empty then. */
  readonly valueOptional?: boolean;
  /** An empty value says something. */
  readonly mayBeEmpty?: boolean;
  readonly default?: string | boolean;
  readonly short?: string;
  readonly valueHint?: string;
  readonly hidden?: boolean;
}

export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>;

/** How a command line was wrong; its text goes under the command's usage, and nothing goes to stdout. */
export class UsageError extends Error {}

/** The options of one command line, by their kebab-case names. */
export interface Flags {
  readonly string: (name: string) => string | undefined;
  readonly list: (name: string) => readonly string[];
  readonly boolean: (name: string) => boolean;
  readonly number: (name: string) => number | undefined;
  readonly positionals: readonly string[];
}

/** What a command takes besides options: at most so many words, everything from the first word on verbatim, or everything there is. */
export type Positionals =
  | { readonly kind: "words"; readonly atMost: number }
  | { readonly kind: "verbatim" }
  | { readonly kind: "everything" };

/** Reads a command line strictly; throws UsageError for anything that the definitions do not know. */
export function parseFlags(definitions: FlagDefinitions, argv: readonly string[], positionals: Positionals): Flags {
  if (positionals.kind === "everything") return toFlags(definitions, new Map(), argv);
  const [options, verbatim] = positionals.kind === "verbatim" ? splitAtFirstWord(definitions, argv) : [argv, undefined];
  const read = readTokens(definitions, options);
  const values = new Map<string, readonly string[]>();
  for (const { name, value } of read.options) values.set(name, [...(values.get(name) ?? []), value]);
  const words = verbatim ?? read.words;
  if (positionals.kind === "words" && words.length > positionals.atMost) {
    throw new UsageError(`Unknown argument: ${words[positionals.atMost]}`);
  }
  checkRepeats(definitions, values);
  checkChoices(definitions, values);
  return toFlags(definitions, values, words);
}

interface ReadTokens {
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly words: readonly string[];
}

function readTokens(definitions: FlagDefinitions, argv: readonly string[]): ReadTokens {
  const { tokens } = parseArgs({
    args: [...argv],
    options: parserOptions(definitions),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options: { name: string; value: string }[] = [];
  const words: string[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "positional") {
      const previous = tokens[index - 1];
      const follows = previous?.kind === "option" && previous.value === undefined && previous.index === token.index - 1;
      const owner = follows ? resolveName(definitions, previous.name) : undefined;
      if (owner !== undefined && answers(definitions[owner], token.value))
        options[options.length - 1] = { name: owner, value: token.value };
      else words.push(token.value);
    }
    if (token.kind === "option") options.push(readOption(definitions, token.name, token.rawName, token.value));
  }
  return { options, words };
}

function readOption(definitions: FlagDefinitions, name: string, rawName: string, value: string | undefined) {
  const known = resolveName(definitions, name);
  const definition = known === undefined ? undefined : definitions[known];
  if (known === undefined || definition === undefined) {
    const nearest = nearestName(
      kebabCase(name),
      Object.keys(definitions).filter((candidate) => definitions[candidate]?.hidden !== true),
    );
    throw new UsageError(
      `Unknown argument: ${rawName.replace(/^-+/, "")}${nearest === undefined ? "" : ` (did you mean --${nearest}?)`}`,
    );
  }
  if (definition.type === "boolean") {
    if (value !== undefined && !/^(?:true|false)$/.test(value)) {
      throw new UsageError(`--${known} is either true or false, found ${JSON.stringify(value)}.`);
    }
    return { name: known, value: value ?? "true" };
  }
  if (value === undefined && definition.valueOptional === true) return { name: known, value: "" };
  if (value === undefined || (value === "" && definition.mayBeEmpty !== true))
    throw new UsageError(`Not enough arguments following: ${known}`);
  if (definition.type === "number" && !/^\d+$/.test(value)) {
    throw new UsageError(`--${known} is a number, found ${JSON.stringify(value)}.`);
  }
  return { name: known, value };
}

function parserOptions(definitions: FlagDefinitions) {
  return Object.fromEntries(
    Object.entries(definitions).flatMap(([name, { type, short, valueOptional }]) => {
      const isAlone = type === "boolean" || valueOptional === true;
      const option = { type: isAlone ? ("boolean" as const) : ("string" as const) };
      return [
        [camelCase(name), option],
        [name, short === undefined ? option : { ...option, short }],
      ];
    }),
  );
}

/** Options end at the first word that is no option's value. */
function splitAtFirstWord(
  definitions: FlagDefinitions,
  argv: readonly string[],
): readonly [readonly string[], readonly string[]] {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (word === "--") return [argv.slice(0, index), argv.slice(index + 1)];
    if (!word.startsWith("-")) return [argv.slice(0, index), argv.slice(index)];
    const name = resolveName(definitions, word.replace(/^-+/, ""));
    const definition = name === undefined ? undefined : definitions[name];
    const isAlone = definition?.type === "boolean" || definition?.valueOptional === true;
    if (definition !== undefined && (!isAlone || answers(definition, argv[index + 1] ?? ""))) index += 1;
  }
  return [argv, []];
}

/** Whether a word is the value of an option that can do without one. */
function answers(definition: FlagDefinition | undefined, word: string): boolean {
  if (definition?.type === "boolean") return word === "true" || word === "false";
  return definition?.valueOptional === true && definition.choices?.includes(word) === true;
}

function resolveName(definitions: FlagDefinitions, name: string): string | undefined {
  if (Object.hasOwn(definitions, name)) return name;
  return Object.keys(definitions).find((known) => camelCase(known) === name || definitions[known]?.short === name);
}

function checkRepeats(definitions: FlagDefinitions, values: ReadonlyMap<string, readonly string[]>): void {
  for (const [name, given] of values) {
    if (given.length > 1 && definitions[name]?.multiple !== true && new Set(given).size > 1) {
      throw new UsageError(`--${name} was given ${given.length} times with different values; it takes one.`);
    }
  }
}

function checkChoices(definitions: FlagDefinitions, values: ReadonlyMap<string, readonly string[]>): void {
  const wrong = [...values].flatMap(([name, given]) => {
    const choices = definitions[name]?.choices;
    const isNone = (value: string) => value === "" && definitions[name]?.valueOptional === true;
    const found = choices === undefined ? undefined : given.find((value) => !choices.includes(value) && !isNone(value));
    const listed = choices?.map((choice) => JSON.stringify(choice)).join(", ");
    return found === undefined ? [] : [`  Argument: ${name}, Given: ${JSON.stringify(found)}, Choices: ${listed}`];
  });
  if (wrong.length > 0) throw new UsageError(`Invalid values:\n${wrong.join("\n")}`);
}

function toFlags(
  definitions: FlagDefinitions,
  values: ReadonlyMap<string, readonly string[]>,
  positionals: readonly string[],
): Flags {
  const given = (name: string, type: FlagDefinition["type"]) => {
    const definition = definitions[name];
    if (definition?.type !== type) throw new TypeError(`--${name} is not a ${type} option of this command.`);
    const fallback = definition.default === undefined ? [] : [String(definition.default)];
    return values.get(name) ?? fallback;
  };
  return {
    string: (name) => given(name, "string").at(-1),
    list: (name) => given(name, "string"),
    boolean: (name) => given(name, "boolean").at(-1) === "true",
    number: (name) => {
      const value = given(name, "number").at(-1);
      return value === undefined ? undefined : Number(value);
    },
    positionals,
  };
}

function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
