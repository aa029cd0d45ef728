/** A run of lines that the builder reads as one, without continuations, comment lines and blank lines in between. */
export type LogicalLine = {
  readonly text: string;
  /** For each character of `text`, its offset in the file. */
  readonly offsets: readonly number[];
  /** The offset just after the last line, its line break included. */
  readonly end: number;
};

/** A Dockerfile's parser directives: comments of the form `# name=value` before anything else. */
export type Directives = {
  readonly escapeCharacter: string;
  readonly syntax: { readonly image: string; readonly start: number; readonly end: number } | undefined;
};

/** The logical line that starts at `start`. */
export function logicalLineAt(text: string, start: number, escapeCharacter: string): LogicalLine {
  let joined = "";
  const offsets: number[] = [];
  let position = start;
  let continued = true;
  while (continued && position < text.length) {
    const next = lineEnd(text, position);
    const line = text.slice(position, next).replace(/\r?\n$/, "");
    const skipped = position > start && /^\s*(?:#|$)/.test(line);
    if (!skipped) {
      const kept = withoutContinuation(line, escapeCharacter);
      continued = kept !== undefined;
      joined += kept ?? line;
      for (let index = 0; index < (kept ?? line).length; index++) offsets.push(position + index);
    }
    position = next;
  }
  return { text: joined, offsets, end: position };
}

/** Reads the parser directives as BuildKit does: `syntax`, `escape` and `check`, the first of each, up to any other line. */
export function readDirectives(text: string): Directives {
  let escapeCharacter: string | undefined;
  let syntax: Directives["syntax"];
  let position = text.startsWith("\uFEFF") ? 1 : 0;
  while (position < text.length) {
    const next = lineEnd(text, position);
    const match = /^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/.exec(text.slice(position, next));
    const [name, value] = [match?.[1]?.toLowerCase(), match?.[2]];
    if (name === undefined || value === undefined || !["syntax", "escape", "check"].includes(name)) break;
    if (name === "escape") escapeCharacter ??= value;
    if (name === "syntax") syntax ??= { image: value, start: position, end: next };
    position = next;
  }
  return { escapeCharacter: escapeCharacter === "`" ? "`" : "\\", syntax };
}

/** The offset just after the line break that ends the line at `position`, or the end of the text. */
export function lineEnd(text: string, position: number): number {
  const lineBreak = text.indexOf("\n", position);
  return lineBreak === -1 ? text.length : lineBreak + 1;
}

function withoutContinuation(line: string, escapeCharacter: string): string | undefined {
  const trimmed = line.replace(/[ \t]+$/, "");
  return trimmed.endsWith(escapeCharacter) ? trimmed.slice(0, -1) : undefined;
}
