import { DockerfileParser } from "dockerfile-ast";
import { type LogicalLine, lineEnd, logicalLineAt } from "./parse-lines.ts";
import { splitWords } from "./parse-words.ts";

/** One instruction of a Dockerfile: keyword in upper case, arguments as one logical line, place in the file. */
export type RawInstruction = {
  readonly keyword: string;
  readonly arguments: string;
  /** For each character of `arguments`, its offset in the file. */
  readonly offsets: readonly number[];
  /** One-based. */
  readonly line: number;
};

/** The instructions of a Dockerfile in order; what stands in a here-document or a continued line is none. */
export function readInstructions(text: string, escapeCharacter: string): RawInstruction[] {
  return locateInstructions(text, escapeCharacter).map(({ keyword, start, line }) => {
    const logical = logicalLineAt(text, start, escapeCharacter);
    const head = /^\s*\S+\s*/.exec(logical.text)?.[0].length ?? 0;
    const trimmed = logical.text.slice(head).trimEnd();
    return {
      keyword,
      arguments: trimmed,
      offsets: logical.offsets.slice(head, head + trimmed.length),
      line,
    };
  });
}

/**
 * Where each instruction starts. dockerfile-ast takes `<<` inside quotes for a here-document and overlooks one with a file
 * descriptor (`3<<EOF`), so it is given the text without here-documents, every offset unchanged.
 */
function locateInstructions(text: string, escapeCharacter: string): { keyword: string; start: number; line: number }[] {
  const header = `# escape=${escapeCharacter}\n\n`;
  const lineStarts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((match) => match.index + match[0].length)];
  return DockerfileParser.parse(header + blankHeredocs(text, escapeCharacter))
    .getInstructions()
    .map((instruction) => {
      const { line, character } = instruction.getInstructionRange().start;
      return { keyword: instruction.getKeyword(), start: (lineStarts[line - 2] ?? 0) + character, line: line - 1 };
    });
}

/** The text with the opening marks and bodies of here-documents (and a byte order mark) overwritten by spaces. */
function blankHeredocs(text: string, escapeCharacter: string): string {
  let blanked = "";
  let position = 0;
  while (position < text.length) {
    const logical = logicalLineAt(text, position, escapeCharacter);
    const comment = /^\s*(?:#|$)/.test(text.slice(position, lineEnd(text, position)));
    const headEnd = comment ? lineEnd(text, position) : logical.end;
    const head = text.slice(position, headEnd);
    const opens = !comment && opensHeredocs.test(logical.text) && logical.text.includes("<<");
    const end = opens ? heredocsEnd(text, logical, escapeCharacter) : headEnd;
    blanked += opens ? head.replaceAll("<", " ") : head;
    blanked += text.slice(headEnd, end).replace(/[^\r\n]/g, " ");
    position = end;
  }
  return blanked.replace(/^\uFEFF/, " ");
}

const opensHeredocs = /^[\s\uFEFF]*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s/i;

/** The offset just after the last here-document that the logical line opens. */
function heredocsEnd(text: string, logical: LogicalLine, escapeCharacter: string): number {
  let position = logical.end;
  for (const heredoc of heredocsOf(logical.text, escapeCharacter)) {
    let terminated = false;
    while (!terminated && position < text.length) {
      const next = lineEnd(text, position);
      const line = text.slice(position, next).replace(/\r?\n$/, "");
      terminated = (heredoc.stripsTabs ? line.replace(/^\t+/, "") : line) === heredoc.name;
      position = next;
    }
  }
  return position;
}

function heredocsOf(line: string, escapeCharacter: string): { name: string; stripsTabs: boolean }[] {
  return splitWords(line, escapeCharacter).flatMap((word) => {
    const match = /^\d*<<(-?)([^<]+)$/.exec(word);
    const name = match?.[2]?.replace(/["']/g, "") ?? "";
    return name === "" ? [] : [{ name, stripsTabs: match?.[1] === "-" }];
  });
}
