/** What follows the name in `${NAME…}`: `-` `+` `?` (with or without `:`), `#` `%` (single or double), `/` `//`. */
export type VariableModifier =
  | { readonly kind: "default" | "alternative" | "required"; readonly emptyIsUnset: boolean; readonly word: string }
  | { readonly kind: "prefix" | "suffix"; readonly greedy: boolean; readonly pattern: string }
  | { readonly kind: "replace"; readonly greedy: boolean; readonly pattern: string; readonly word: string };

/** The value of `${NAME<modifier>}`; `problem` makes the error that an unset required variable is reported with. */
export function applyModifier(
  variable: { readonly name: string; readonly value: string | undefined },
  modifier: VariableModifier,
  problem: (what: string) => Error,
): string {
  const { name, value } = variable;
  switch (modifier.kind) {
    case "default":
      return isSet(value, modifier) ? value : modifier.word;
    case "alternative":
      return isSet(value, modifier) ? modifier.word : "";
    case "required":
      if (isSet(value, modifier)) return value;
      throw problem(`the variable ${name} is not set${modifier.word === "" ? "" : `: ${modifier.word}`}`);
    case "prefix":
      return withoutPrefix(value ?? "", modifier);
    case "suffix":
      return withoutSuffix(value ?? "", modifier);
    case "replace":
      return replaced(value ?? "", modifier);
  }
}

function isSet(value: string | undefined, modifier: { readonly emptyIsUnset: boolean }): value is string {
  return value !== undefined && (value !== "" || !modifier.emptyIsUnset);
}

function withoutPrefix(value: string, modifier: { readonly greedy: boolean; readonly pattern: string }): string {
  const ends = matchEnds(value, modifier.pattern);
  const end = modifier.greedy ? ends.at(-1) : ends[0];
  return end === undefined ? value : value.slice(end);
}

function withoutSuffix(value: string, modifier: { readonly greedy: boolean; readonly pattern: string }): string {
  const starts = Array.from({ length: value.length + 1 }, (_, index) => index).filter((start) =>
    matchesToEnd(value.slice(start), modifier.pattern),
  );
  const start = modifier.greedy ? starts[0] : starts.at(-1);
  return start === undefined ? value : value.slice(0, start);
}

function replaced(
  value: string,
  modifier: { readonly greedy: boolean; readonly pattern: string; readonly word: string },
): string {
  let result = "";
  let index = 0;
  while (index < value.length) {
    const length = matchEnds(value.slice(index), modifier.pattern).at(-1);
    if (length === undefined || length === 0) {
      result += value.charAt(index);
      index++;
      continue;
    }
    result += modifier.word;
    index += length;
    if (!modifier.greedy) break;
  }
  return result + value.slice(index);
}

function matchesToEnd(value: string, pattern: string): boolean {
  return matchEnds(value, pattern).at(-1) === value.length;
}

/** Every offset, ascending, at which a match of the glob (`*` and `?`, `\` escapes) that starts at 0 can end. */
function matchEnds(value: string, pattern: string): number[] {
  let ends = new Set([0]);
  for (let index = 0; index < pattern.length && ends.size > 0; index++) {
    const char = pattern.charAt(index);
    if (char === "*") {
      const first = Math.min(...ends);
      ends = new Set(Array.from({ length: value.length - first + 1 }, (_, offset) => first + offset));
      continue;
    }
    const literal = char === "\\" ? pattern.charAt(++index) : char;
    ends = new Set(
      [...ends]
        .filter((end) => end < value.length && (char === "?" || value.charAt(end) === literal))
        .map((end) => end + 1),
    );
  }
  return [...ends].sort((left, right) => left - right);
}
