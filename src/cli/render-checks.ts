import type { Check, CheckStatus } from "../runtime/diagnosis/check.ts";

/** How lines are to look: at most so many columns, with colours or without. */
export interface Appearance {
  readonly columns: number;
  readonly colors: boolean;
}

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: "✔ ok", warning: "! warning", problem: "✘ problem" };
const COLORS: Readonly<Record<CheckStatus, string>> = {
  ok: "\u001b[32m",
  warning: "\u001b[33m",
  problem: "\u001b[31m",
};
const RESET = "\u001b[0m";
const MARK_WIDTH = 11;
const WIDEST = 100;
const NARROWEST_TEXT = 30;

/** The checks as lines for people, remedies under what they mend, and the sum of it all at the end. */
export function renderChecks(checks: readonly Check[], appearance: Appearance): string {
  const titleWidth = Math.max(0, ...checks.map(({ title }) => title.length)) + 2;
  const lines = checks.flatMap((check) => renderCheck(check, titleWidth, appearance));
  return `${[...lines, "", summarize(checks)].join("\n")}\n`;
}

function renderCheck(check: Check, titleWidth: number, { columns, colors }: Appearance): string[] {
  const indent = MARK_WIDTH + titleWidth;
  const margin = " ".repeat(indent);
  const width = Math.max(NARROWEST_TEXT, Math.min(columns, WIDEST) - indent - 1);
  const wrapped = (text: string) => (columns === Number.POSITIVE_INFINITY ? [text] : wrap(text, width));
  const [first = "", ...rest] = wrapped(check.detail);
  const mark = MARKS[check.status].padEnd(MARK_WIDTH);
  const remedy = (check.remedy ?? "").split("\n").flatMap((line) => {
    if (line === "") return [];
    // A command is for copying: it stays in one piece, at the margin if that is what it takes.
    if (line.startsWith("  ")) return [line.length > width ? `    ${line.trim()}` : `${margin}${line}`];
    return wrapped(`→ ${line}`).map((part, index) => `${margin}${index === 0 ? part : `  ${part}`}`);
  });
  return [
    `${colors ? `${COLORS[check.status]}${mark}${RESET}` : mark}${check.title.padEnd(titleWidth)}${first}`,
    ...rest.map((line) => `${margin}${line}`),
    ...remedy,
  ];
}

/** Breaks at spaces; a word that is longer than a line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function summarize(checks: readonly Check[]): string {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  const counted = [
    { number: count("problem"), name: "problem" },
    { number: count("warning"), name: "warning" },
  ].filter(({ number }) => number > 0);
  if (counted.length === 0) return "Everything is in order.";
  return `${counted.map(({ number, name }) => `${number} ${name}${number === 1 ? "" : "s"}`).join(", ")}.`;
}
