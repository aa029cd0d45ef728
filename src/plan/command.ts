/** A process to run, as a value: computed once, printed by `--argv`, run by `host/spawn.ts`; `env` is added to the inherited environment. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One command as a line that a POSIX shell would read back as the same argv. */
export function formatCommand(command: Command): string {
  const assignments = Object.entries(command.env).map(([name, value]) => `${name}=${quoteWord(value)}`);
  return [...assignments, quoteWord(command.file), ...command.args.map(quoteWord)].join(" ");
}

/** The command as the reference CLI words it after `Command failed: `: file and arguments joined by spaces. */
export function describeCommand(command: Command): string {
  return [command.file, ...command.args].join(" ");
}

function quoteWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
