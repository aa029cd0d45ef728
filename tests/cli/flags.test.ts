import { expect, test } from "bun:test";
import { type FlagDefinitions, parseFlags } from "../../src/cli/flags.ts";

const FLAGS = {
  "image-name": { type: "string", multiple: true, description: "" },
  "cache-to": { type: "string", description: "" },
  "no-cache": { type: "boolean", description: "" },
  push: { type: "boolean", description: "" },
  "mount-workspace-git-root": { type: "boolean", default: true, description: "" },
  "log-level": { type: "string", choices: ["info", "debug"], default: "info", description: "" },
  columns: { type: "number", description: "" },
  output: { type: "string", short: "o", description: "" },
} as const satisfies FlagDefinitions;
const WORDS = { kind: "words", atMost: 1 } as const;

const parse = (...argv: string[]) => parseFlags(FLAGS, argv, WORDS);

test("a repeated option keeps all its values", () => {
  expect(parse("--image-name", "a", "--image-name=b").list("image-name")).toEqual(["a", "b"]);
});

test("a single option given twice with different values is refused", () => {
  expect(() => parse("--cache-to", "a", "--cache-to", "b")).toThrow("--cache-to was given 2 times");
});

test("--no-cache is an option of its own and negates nothing", () => {
  expect(parse("--no-cache").boolean("no-cache")).toBe(true);
  expect(() => parse("--no-push")).toThrow("Unknown argument: no-push");
});

test("booleans take true and false, after a space or an equals sign", () => {
  expect(parse("--push", "false").boolean("push")).toBe(false);
  expect(parse("--push=true").boolean("push")).toBe(true);
  expect(parse("--mount-workspace-git-root", "false").boolean("mount-workspace-git-root")).toBe(false);
  expect(parse().boolean("mount-workspace-git-root")).toBe(true);
  expect(() => parse("--push=yes")).toThrow("either true or false");
});

test("a boolean before a word leaves the word alone", () => {
  expect(parse("--push", "path").positionals).toEqual(["path"]);
});

test("camelCase names mean the same options", () => {
  expect(parse("--imageName", "a", "--cacheTo=b").list("image-name")).toEqual(["a"]);
  expect(parse("--noCache").boolean("no-cache")).toBe(true);
});

test("an unknown option is refused with the nearest known one", () => {
  expect(() => parse("--image-nam", "a")).toThrow("Unknown argument: image-nam (did you mean --image-name?)");
  expect(() => parse("--zzz")).toThrow(/^Unknown argument: zzz$/);
  expect(() => parse("-z")).toThrow("Unknown argument: z");
});

test("a word too many is refused", () => {
  expect(() => parse("a", "b")).toThrow("Unknown argument: b");
});

test("a value outside the choices is refused as the reference CLI words it", () => {
  expect(() => parse("--log-level", "warn")).toThrow(
    'Invalid values:\n  Argument: log-level, Given: "warn", Choices: "info", "debug"',
  );
});

test("an empty value is one where the option says so", () => {
  const flags = { program: { type: "string", description: "A program", mayBeEmpty: true } } as const;
  expect(parseFlags(flags, ["--program="], WORDS).string("program")).toBe("");
  expect(parseFlags(flags, ["--program", ""], WORDS).string("program")).toBe("");
  expect(() => parse("--cache-to=")).toThrow("Not enough arguments following: cache-to");
});

test("an option without its value is refused", () => {
  expect(() => parse("--cache-to")).toThrow("Not enough arguments following: cache-to");
});

test("numbers are numbers", () => {
  expect(parse("--columns", "80").number("columns")).toBe(80);
  expect(() => parse("--columns", "wide")).toThrow("--columns is a number");
});

test("short names work", () => {
  expect(parse("-o", "x").string("output")).toBe("x");
});

test("everything after the first word belongs to a command that is run, options included", () => {
  const flags = parseFlags(FLAGS, ["--cache-to", "x", "--push", "false", "ls", "--push", "--help", "--", "-o"], {
    kind: "verbatim",
  });
  expect(flags.positionals).toEqual(["ls", "--push", "--help", "--", "-o"]);
  expect(flags.boolean("push")).toBe(false);
});

test("a double dash before the command is not part of it", () => {
  expect(parseFlags(FLAGS, ["--push", "--", "ls"], { kind: "verbatim" }).positionals).toEqual(["ls"]);
});

test("an option that can do without a value takes the next word only if it is one of its choices", () => {
  const flags = {
    agent: { type: "string", choices: ["a", "b"], valueOptional: true, description: "" },
  } as const satisfies FlagDefinitions;
  const read = (...argv: string[]) => parseFlags(flags, argv, { kind: "verbatim" });
  const told = (...argv: string[]) => [read(...argv).string("agent"), ...read(...argv).positionals];
  expect(told("--agent", "a", "ls", "a")).toEqual(["a", "ls", "a"]);
  expect(told("--agent", "ls", "-l")).toEqual(["", "ls", "-l"]);
  expect(told("--agent=b", "--", "a")).toEqual(["b", "a"]);
  expect(told("--agent", "--", "a")).toEqual(["", "a"]);
  expect(told("ls", "--agent", "a")).toEqual([undefined, "ls", "--agent", "a"]);
  expect(() => read("--agent=c", "ls")).toThrow("Invalid values");
  expect(parseFlags(flags, ["--agent", "b"], { kind: "words", atMost: 0 }).string("agent")).toBe("b");
});
