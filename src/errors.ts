/**
 * An expected, actionable failure: `message` says what was being done, what was found and what was wanted;
 * `hint` says what to do next; `description` is the per-command sentence of the JSON result.
 */
export class UserError extends Error {
  readonly hint: string | undefined;
  readonly description: string | undefined;
  /** Further members of the JSON result. */
  readonly data: Readonly<Record<string, string>>;

  constructor(
    message: string,
    options: { hint?: string; description?: string; data?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
    this.description = options.description;
    this.data = options.data ?? {};
  }
}

/** Thrown when a signal ended the work; `exitCode` is 128 + the signal's number. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`Interrupted by ${signal}.`);
    this.name = "Interrupted";
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
