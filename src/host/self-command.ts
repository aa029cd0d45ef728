/** How this very program is started again: the file to run, and the arguments before any of its own. */
export interface SelfCommand {
  readonly file: string;
  readonly args: readonly string[];
}

/** Of the compiled executable, or of the runtime with the source that it runs. */
export function selfCommand(): SelfCommand {
  const isCompiled = Bun.main.startsWith("/$bunfs/") || Bun.main.startsWith("B:/~BUN/");
  return { file: process.execPath, args: isCompiled ? [] : [Bun.main] };
}
