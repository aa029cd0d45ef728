/** A name with its value as written: quotes, escapes and variables still in it. */
export type RawPair = { readonly name: string; readonly value: string | undefined };

/** An instruction that bears on a stage's variables or user; `line` is one-based. */
export type StageInstruction =
  | { readonly kind: "arg"; readonly line: number; readonly pairs: readonly RawPair[] }
  | { readonly kind: "env"; readonly line: number; readonly pairs: readonly RawPair[] }
  | { readonly kind: "user"; readonly line: number; readonly value: string };

/** A FROM instruction and what follows it up to the next. */
export type DockerfileStage = {
  readonly index: number;
  /** As written; stage names are compared without regard to case. */
  readonly name: string | undefined;
  /** The image or stage named after FROM, as written. */
  readonly baseText: string;
  readonly platformText: string | undefined;
  readonly line: number;
  /** The offset just after the image token: ` AS name` goes here. */
  readonly imageEnd: number;
  readonly instructions: readonly StageInstruction[];
};

/** What cooper needs to know of a user's Dockerfile. */
export type DockerfileModel = {
  /** The Dockerfile's name for messages. */
  readonly file: string;
  readonly text: string;
  readonly escapeCharacter: string;
  /** The `# syntax=` directive and the offsets of its line, line break included. */
  readonly syntax: { readonly image: string; readonly start: number; readonly end: number } | undefined;
  /** The ARG instructions before the first FROM. */
  readonly preamble: readonly Extract<StageInstruction, { kind: "arg" }>[];
  readonly stages: readonly DockerfileStage[];
};
