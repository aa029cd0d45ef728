/** How bad a finding is: a problem stops work, a warning slows it down or will stop some of it. */
export type CheckStatus = "ok" | "warning" | "problem";

/** One finding of `doctor`; lines of `remedy` that begin with two spaces are commands to run as they are. */
export interface Check {
  readonly id: string;
  readonly status: CheckStatus;
  readonly title: string;
  readonly detail: string;
  readonly remedy?: string;
}

/** What mends something: a sentence, and the commands that do it, if they are known. */
export interface Remedy {
  readonly text: string;
  readonly commands: readonly string[];
}

/** A remedy as a check carries it. */
export function formatRemedy({ text, commands }: Remedy): string {
  return [commands.length === 0 ? text.replace(/:$/, ".") : text, ...commands.map((command) => `  ${command}`)].join(
    "\n",
  );
}

/** Words as an enumeration: `a, b and c`. */
export function enumerate(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

/** Several remedies as one, in their order. */
export function joinRemedies(remedies: readonly Remedy[]): string {
  return remedies.map(formatRemedy).join("\n");
}
