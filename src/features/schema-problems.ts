import type { BaseIssue } from "valibot";
import { type ConfigProblem, describeKind, problemsOf } from "../devcontainer/config-problems.ts";
import { parseJsonc } from "../devcontainer/jsonc-document.ts";

/** Everything wrong with a JSON document: lines of `file:line:column`, what was found, what was wanted. */
export function describeProblems(
  wrong: { problems?: readonly ConfigProblem[]; issues: readonly BaseIssue<unknown>[] | undefined },
  { text, file }: { text: string; file: string },
): string {
  const { value, locate } = parseJsonc(text, file);
  const [issue] = wrong.issues ?? [];
  if (issue !== undefined && issue.path === undefined) {
    return `${locate([])}: found ${value === undefined ? "nothing" : describeKind(value)}; wanted ${issue.message}.`;
  }
  const problems = [...(wrong.problems ?? []), ...problemsOf(wrong.issues ?? [])];
  return problems.map((problem) => `${locate(problem.path)}: ${problem.text}`).join("\n");
}
