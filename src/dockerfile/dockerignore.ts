import { normalize } from "node:path/posix";
import { UserError } from "../errors.ts";
import { type IgnorePattern, matchesPattern, parseIgnorePattern } from "./dockerignore-pattern.ts";

/** Answers for one .dockerignore; paths are relative to the build context, with `/` and without a leading `./`. */
export type Dockerignore = {
  /** True when the builder does not get this file or directory: it or a parent is excluded and not re-included later. */
  isIgnored(path: string): boolean;
  /** True when something inside an ignored directory may be re-included, so that it has to be walked all the same. */
  mayContainReincluded(directory: string): boolean;
};

type Rule = { readonly reincludes: boolean; readonly pattern: IgnorePattern; readonly segments: readonly string[] };

/**
 * Reads a .dockerignore as the builder does: the last matching line decides, `!` re-includes, `*` and `?` stay within a
 * name, `**` spans directories. Throws a UserError with `file:line` for a pattern that the builder rejects.
 */
export function createDockerignore(text: string, file = ".dockerignore"): Dockerignore {
  const rules = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .flatMap((line, index) => readRule(line, `${file}:${index + 1}`));
  const reincluding = rules.filter((rule) => rule.reincludes);
  return {
    isIgnored: (path) => isIgnored(path, rules),
    mayContainReincluded: (directory) => reincluding.some((rule) => mayMatchBelow(rule, directory.split("/"))),
  };
}

function readRule(line: string, where: string): Rule[] {
  if (line.startsWith("#")) return [];
  const trimmed = line.trim();
  const reincludes = trimmed.startsWith("!");
  const written = reincludes ? trimmed.slice(1).trim() : trimmed;
  if (trimmed === "") return [];
  if (written === "") {
    throw new UserError(`${where}: found "!" alone; wanted a pattern to re-include after it.`);
  }
  const cleaned = cleanPath(written);
  return [{ reincludes, pattern: parseIgnorePattern(cleaned, where), segments: cleaned.split("/") }];
}

function cleanPath(written: string): string {
  const normal = normalize(written);
  const relative = normal.length > 1 && normal.startsWith("/") ? normal.slice(1) : normal;
  return relative.length > 1 && relative.endsWith("/") ? relative.slice(0, -1) : relative;
}

/**
 * Goes down from the topmost directory: a rule that matched a directory matches all that is in it, and a rule is only asked
 * when it could change the answer so far. The builder's walk has both properties, and some patterns show it.
 */
function isIgnored(path: string, rules: readonly Rule[]): boolean {
  const names = path.split("/");
  let matched: readonly boolean[] = [];
  let ignored = false;
  for (const depth of names.keys()) {
    const place = names.slice(0, depth + 1).join("/");
    ignored = false;
    matched = rules.map((rule, index) => {
      const matches = matched[index] === true || (rule.reincludes === ignored && matchesPattern(rule.pattern, place));
      if (matches) ignored = !rule.reincludes;
      return matches;
    });
  }
  return ignored;
}

/** Errs on the side of true: a needless walk costs time, a missed file breaks the build. */
function mayMatchBelow(rule: Rule, directory: readonly string[]): boolean {
  for (const [index, name] of directory.entries()) {
    const segment = rule.segments[index];
    if (segment === undefined || segment.includes("**") || segment.includes("[")) return true;
    if (!/[*?\\]/.test(segment) && segment !== name) return false;
  }
  return true;
}
