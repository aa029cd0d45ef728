/** What an `unshare` says of itself. */
export interface UnshareProgram {
  /** util-linux's version; undefined where it is somebody else's program. */
  readonly version: string | undefined;
  /** Whether it looks up subordinate ids itself: util-linux 2.38 and later. */
  readonly mapsIds: boolean;
  /** Options that a sandbox needs and this program lacks. */
  readonly missing: readonly string[];
}

const NEEDED = ["--user", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net"];

/** Reads the output of `unshare --help` and, where it is known, that of `unshare --version`. */
export function readUnshare(help: string, version = ""): UnshareProgram {
  const has = (option: string) => new RegExp(`(^|[\\s,])${option}(?![\\w-])`).test(help);
  return {
    version: /util-linux (\d[\w.-]*)/.exec(version)?.[1],
    mapsIds: has("--map-auto"),
    missing: NEEDED.filter((option) => !has(option)),
  };
}
