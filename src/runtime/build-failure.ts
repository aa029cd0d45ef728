import { UserError } from "../errors.ts";
import { type Command, describeCommand } from "../plan/command.ts";
import { type BuildSteps, failedStep } from "./build-steps.ts";
import { failedCommand, unreachableReason } from "./engine-failure.ts";

/** How a build command ended that did not end well. */
export interface BuildEnd {
  readonly exitCode: number;
  /** The last part of all it printed. */
  readonly output: string;
  readonly steps: BuildSteps;
}

/** The error for a failed build: the Feature or step that failed, the end of what it printed, and the command that ran. */
export function explainBuildFailure(command: Command, end: BuildEnd): UserError {
  if (/could not resolve image due to policy|source denied by policy/i.test(end.output)) {
    return new UserError("Could not resolve image due to policy.", {
      description: "Could not resolve image due to policy.",
    });
  }
  const step = failedStep(end.steps);
  const plain = failedCommand(command, end.exitCode, end.output);
  if (step === undefined || unreachableReason(end.output) !== undefined) return plain;
  const lines = completed(step.tail, end.output);
  const said = step.feature === undefined ? lines : withoutWrapping(lines);
  const tail = said.length === 0 ? "" : `\n${said.map((line) => `  ${line}`).join("\n")}`;
  const ran = `Command failed: ${describeCommand(command)}`;
  const hint = plain.hint === undefined ? {} : { hint: plain.hint };
  if (step.feature === undefined) {
    const reason = lines.length > 0 ? "" : `\n${lastLines(end.output)}`;
    return new UserError(`The build failed at: ${step.title}${tail}${reason}\n${ran}`, hint);
  }
  const { name, id, reference, version, documentationUrl } = step.feature;
  // The builder has the last word; what looks like it before that is the Feature's.
  const status = [...end.output.matchAll(/exit (?:code|status):? (\d+)|non-zero code: (\d+)/g)].at(-1);
  const code = status?.[1] ?? status?.[2];
  const what = `Feature "${name ?? id}" (${reference}${version === null ? "" : `, version ${version}`}) failed to install`;
  const documentation = documentationUrl === null ? "" : `\nIts documentation: ${documentationUrl}`;
  return new UserError(
    `${what}${code === undefined ? "" : ` with exit code ${code}`}:${tail}${documentation}\n${ran}`,
    hint,
  );
}

/** BuildKit may tell that a step failed before all of its output, and repeat the end of it below: what was missed is taken from there. */
function completed(tail: readonly string[], output: string): readonly string[] {
  const excerpt = /^------\r?\n > .*:\r?\n([\s\S]*?)^------\r?$/m.exec(Bun.stripANSI(output))?.[1];
  if (excerpt === undefined) return tail;
  const lines = excerpt
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replace(/^\d+\.\d+ /, ""));
  const last = tail.at(-1);
  const known = last === undefined ? -1 : lines.lastIndexOf(last);
  return known === -1 && tail.length > 0 ? tail : [...tail, ...lines.slice(known + 1)];
}

/** What the Feature itself printed: without the banner before it, and without what the wrapper and the builder say after it. */
function withoutWrapping(lines: readonly string[]): readonly string[] {
  const banner = lines.findLastIndex((line) => /^={75}$/.test(line));
  return lines
    .slice(banner + 1)
    .filter((line) => !/^(?:ERROR: Feature "|Error: building at STEP |The command '\/bin\/sh -c )/.test(line));
}

function lastLines(output: string): string {
  return output.trimEnd().split("\n").slice(-8).join("\n");
}
