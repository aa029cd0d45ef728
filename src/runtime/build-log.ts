/** What a builder's output says, in the order it says it; `key` tells concurrent steps apart. */
export type BuildLogEvent =
  | { readonly kind: "step"; readonly key: string; readonly title: string }
  | { readonly kind: "output"; readonly key: string; readonly text: string }
  | { readonly kind: "done"; readonly key: string; readonly cached: boolean }
  | { readonly kind: "failed"; readonly key: string }
  | { readonly kind: "other"; readonly text: string };

const BUILDKIT_LINE = /^#(\d+) ?(.*)$/;
const BUILDKIT_TIMED = /^\d+\.\d+ ?(.*)$/;
const PODMAN_STEP = /^(?:\[\d+\/\d+\] )?STEP \d+\/\d+: (.*)$/;
const CLASSIC_STEP = /^Step \d+\/\d+ : (.*)$/;

/** Reads the plain output of BuildKit, of Podman and of the classic builder, whichever it is, line by line. */
export function createBuildLogReader(): (line: string) => readonly BuildLogEvent[] {
  const titles = new Map<string, string>();
  let sequential: string | undefined;
  let count = 0;

  const begin = (title: string): BuildLogEvent[] => {
    const ended: BuildLogEvent[] = sequential === undefined ? [] : [{ kind: "done", key: sequential, cached: false }];
    count += 1;
    sequential = `s${count}`;
    return [...ended, { kind: "step", key: sequential, title }];
  };

  const readBuildkit = (key: string, rest: string): BuildLogEvent[] => {
    if (!titles.has(key)) {
      titles.set(key, rest);
      return [{ kind: "step", key, title: rest }];
    }
    if (/^DONE\b/.test(rest)) return [{ kind: "done", key, cached: false }];
    if (rest === "CACHED") return [{ kind: "done", key, cached: true }];
    if (/^ERROR\b/.test(rest)) return [{ kind: "failed", key }];
    // Another step's failure ended it: it has not failed itself.
    if (rest === "CANCELED") return [];
    // BuildKit repeats a step's title when it takes up its output again.
    if (rest === titles.get(key) || rest === "" || rest === "...") return [];
    return [{ kind: "output", key, text: BUILDKIT_TIMED.exec(rest)?.[1] ?? rest }];
  };

  return (line) => {
    // Under a step of the other two such a line is a program's own.
    const buildkit = sequential === undefined ? BUILDKIT_LINE.exec(line) : null;
    if (buildkit?.[1] !== undefined) return readBuildkit(buildkit[1], buildkit[2] ?? "");
    const title = PODMAN_STEP.exec(line)?.[1] ?? CLASSIC_STEP.exec(line)?.[1];
    if (title !== undefined) return begin(title);
    if (sequential === undefined) return line === "" ? [] : [{ kind: "other", text: line }];
    if (/^ ?--->( Using cache)?|^--> Using cache/.test(line)) return [];
    return [{ kind: "output", key: sequential, text: line }];
  };
}
