import { isJsonObject } from "../json.ts";
import type { RepositoryFacts } from "./detection.ts";
import { iniValue } from "./ini-value.ts";
import { valueIn } from "./toml-value.ts";

/** What a repository needs beside its own dependencies, by the names that are common for it. */
const TEST_NAMES = ["test", "tests", "testing", "dev"];
const CHECK_NAMES = ["lint", "linting", "typing", "types", "typecheck", "mypy"];

/** Which of these extras or groups are wanted for the gates: one for the tests, and those of the checks. */
export function wantedNames(names: readonly string[]): readonly string[] {
  const test = TEST_NAMES.find((name) => names.includes(name));
  return [...(test === undefined ? [] : [test]), ...CHECK_NAMES.filter((name) => names.includes(name))];
}

/** The names of a package's extras, of pyproject.toml and setup.cfg. */
export function extrasOf(facts: RepositoryFacts): Readonly<Record<string, string>> {
  const declared = valueIn(facts.readToml("pyproject.toml"), "project", "optional-dependencies");
  const cfg = facts.read("setup.cfg") ?? "";
  const inCfg = [...TEST_NAMES, ...CHECK_NAMES].flatMap((name) => {
    const value = iniValue(cfg, "options.extras_require", name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inCfg),
    ...Object.fromEntries(Object.entries(tableOf(declared)).map(([name, value]) => [name, JSON.stringify(value)])),
  };
}

/** The dependency groups of a pyproject.toml, each with those that it includes. */
export function dependencyGroupsOf(facts: RepositoryFacts): Readonly<Record<string, readonly string[]>> {
  const groups = tableOf(valueIn(facts.readToml("pyproject.toml"), "dependency-groups"));
  const expand = (name: string, outer: readonly string[]): string[] => {
    const entries = groups[name];
    if (outer.includes(name) || !Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown) => {
      if (typeof entry === "string") return [entry];
      const included = valueIn(entry, "include-group");
      return typeof included === "string" ? expand(included, [...outer, name]) : [];
    });
  };
  return Object.fromEntries(Object.keys(groups).map((name) => [name, expand(name, [])]));
}

/** What a requirements file is for, as its name tells it: none of these is needed for the gates, or on this platform. */
const OTHER_PURPOSES = /^(?:docs?|windows|win32|win|mac|macos|osx|darwin|gpu|cuda|rocm|min|minimum|oldest|release)$/;

/** The requirements files that are to be installed: the plain one first, as the others may refine what is in it. */
export function requirementsFiles(names: readonly string[]): readonly string[] {
  const found = names.filter(
    (name) =>
      /^(?:.*[-_])?requirements(?:[-_.].*)?\.txt$/.test(name) &&
      !name.split(/[-_.]/).some((word) => OTHER_PURPOSES.test(word)),
  );
  return [
    ...found.filter((name) => name === "requirements.txt"),
    ...found.filter((name) => name !== "requirements.txt"),
  ];
}

/** What tox installs for a repository's tests: arguments of pip, and extras of the package. */
export interface ToxDependencies {
  readonly requirements: readonly string[];
  readonly extras: readonly string[];
}

/** The dependencies of tox's common environment, less those that hang on a condition or on what tox knows alone. */
export function toxDependencies(facts: RepositoryFacts, installed: readonly string[]): ToxDependencies {
  const text = facts.read("tox.ini") ?? "";
  const lines = (iniValue(text, "testenv", "deps") ?? "")
    .split("\n")
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim())
    .map((line) => line.replaceAll(/\{(?:toxinidir|tox_root)\}\/?/g, ""));
  const requirements = lines.flatMap((line) => {
    if (line === "" || /[{}]/.test(line) || /^[\w!,.-]+\s*:(?!\/)/.test(line) || /^(?:-e\s*)?\.(?:\[|$)/.test(line))
      return [];
    const option = /^(-r|--requirement|-c|--constraint)[\s=]*(.+)$/.exec(line);
    if (option === null) return line.startsWith("-") ? [] : [quoteWord(line)];
    const [, flag = "", file = ""] = option;
    const top = file.split("/")[0] ?? "";
    if (installed.includes(file) || !facts.names.includes(top)) return [];
    return [`${flag.startsWith("-c") || flag === "--constraint" ? "-c" : "-r"} ${quoteWord(file)}`];
  });
  const extras = (iniValue(text, "testenv", "extras") ?? "")
    .split(/[\s,]+/)
    .filter((name) => /^[A-Za-z0-9][\w.-]*$/.test(name));
  return { requirements, extras };
}

/** A word of a shell's command line that means itself. */
export function quoteWord(text: string): string {
  if (/^[\w./@%+=,-]+$/.test(text) && !text.startsWith("-")) return text;
  return `'${(text.startsWith("-") ? `./${text}` : text).replaceAll("'", "'\\''")}'`;
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : {};
}
