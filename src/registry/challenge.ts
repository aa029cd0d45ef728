/** One way a server offers to authenticate: a lower-case scheme and its parameters by lower-case name. */
export type Challenge = { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> };

const scheme = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?=\s|,|$)/y;
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/y;
const separators = /[\s,]*/y;

/**
 * The challenges of a `WWW-Authenticate` header (RFC 9110 §11.6.1), several joined by commas included; reading stops
 * where it is malformed.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let offset = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    const match = pattern.exec(header);
    if (match !== null) offset = pattern.lastIndex;
    return match;
  };
  for (;;) {
    read(separators);
    const found = read(parameter);
    const current = challenges.at(-1);
    if (found !== null && current !== undefined) {
      const [, name = "", quoted, plain = ""] = found;
      current.parameters.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1"));
      continue;
    }
    const next = found === null ? read(scheme) : null;
    if (next === null) return challenges;
    challenges.push({ scheme: (next[1] ?? "").toLowerCase(), parameters: new Map() });
  }
}
