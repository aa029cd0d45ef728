import { UserError } from "../errors.ts";

/** One step of a pattern, with the regular expression that the builder makes of it. */
type Step =
  | { readonly kind: "literal"; readonly char: string }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly Range[] }
  /** `?`: `[^/]` */
  | { readonly kind: "one" }
  /** `*`: `[^/]*` */
  | { readonly kind: "many" }
  /** `**` at the end: `.*` */
  | { readonly kind: "anything" }
  /** `**` before more: `(.*\/)?`, whose loop is the step after this one. */
  | { readonly kind: "maybe-directories" }
  | { readonly kind: "directories" };

type Range = readonly [low: string, high: string];

/** A compiled line of a .dockerignore. */
export type IgnorePattern = readonly Step[];

/** Compiles a cleaned pattern; throws a UserError that starts with `where` for a broken `[…]` or a trailing backslash. */
export function parseIgnorePattern(pattern: string, where: string): IgnorePattern {
  const chars = [...pattern];
  const steps: Step[] = [];
  let index = 0;
  while (index < chars.length) {
    const char = chars[index] ?? "";
    if (char === "*" && chars[index + 1] === "*") {
      index += chars[index + 2] === "/" ? 3 : 2;
      const last = index >= chars.length || isSuffix(pattern);
      steps.push(...(last ? [{ kind: "anything" } as const] : globstar));
    } else if (char === "[") {
      const read = readClass(chars, index + 1);
      if (read === undefined) throw broken(pattern, { where, what: 'its "[" starts no set like "[a-z]"' });
      steps.push(read.step);
      index = read.end;
    } else if (char === "\\") {
      const escaped = chars[index + 1];
      if (escaped === undefined) throw broken(pattern, { where, what: "nothing follows its last backslash" });
      steps.push({ kind: "literal", char: escaped });
      index += 2;
    } else {
      steps.push(char === "*" ? { kind: "many" } : char === "?" ? { kind: "one" } : { kind: "literal", char });
      index++;
    }
  }
  return steps;
}

/** True when the whole path matches. Time is bounded by pattern length times path length, whatever the pattern. */
export function matchesPattern(pattern: IgnorePattern, path: string): boolean {
  let states = new Set<number>();
  arrive(pattern, 0, states);
  for (const char of path) {
    const next = new Set<number>();
    for (const state of states) {
      for (const target of targets(pattern[state], state, char)) arrive(pattern, target, next);
    }
    if (next.size === 0) return false;
    states = next;
  }
  return states.has(pattern.length);
}

const globstar: readonly Step[] = [{ kind: "maybe-directories" }, { kind: "directories" }];

/** `**name` without other wildcards: the builder compares the end of the path only, even within a name. */
function isSuffix(pattern: string): boolean {
  return /^\*\*[^/*?[\]\\][^*?[\]\\]*$/.test(pattern);
}

function arrive(pattern: IgnorePattern, state: number, states: Set<number>): void {
  const waiting = [state];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (states.has(next)) continue;
    states.add(next);
    const kind = pattern[next]?.kind;
    if (kind === "many" || kind === "anything") waiting.push(next + 1);
    if (kind === "maybe-directories") waiting.push(next + 1, next + 2);
  }
}

function targets(step: Step | undefined, state: number, char: string): number[] {
  switch (step?.kind) {
    case undefined:
    case "maybe-directories":
      return [];
    case "literal":
      return step.char === char ? [state + 1] : [];
    case "class":
      return step.ranges.some(([low, high]) => low <= char && char <= high) === step.negated ? [] : [state + 1];
    case "one":
      return char === "/" ? [] : [state + 1];
    case "many":
      return char === "/" ? [] : [state];
    case "anything":
      return [state];
    case "directories":
      return char === "/" ? [state, state + 1] : [state];
  }
}

function readClass(chars: readonly string[], start: number): { step: Step; end: number } | undefined {
  const negated = chars[start] === "^";
  const ranges: Range[] = [];
  let index = negated ? start + 1 : start;
  while (chars[index] !== "]" || ranges.length === 0) {
    const low = readMember(chars, index);
    if (low === undefined) return undefined;
    index = low.end;
    const high = chars[index] === "-" ? readMember(chars, index + 1) : low;
    if (high === undefined) return undefined;
    index = high.end;
    ranges.push([low.char, high.char]);
  }
  return { step: { kind: "class", negated, ranges }, end: index + 1 };
}

function readMember(chars: readonly string[], index: number): { char: string; end: number } | undefined {
  const end = chars[index] === "\\" ? index + 2 : index + 1;
  const char = chars[end - 1];
  const bare = end === index + 1 && (char === "-" || char === "]");
  return char === undefined || bare ? undefined : { char, end };
}

function broken(pattern: string, problem: { where: string; what: string }): UserError {
  return new UserError(`${problem.where}: cannot read the pattern ${JSON.stringify(pattern)}: ${problem.what}.`);
}
