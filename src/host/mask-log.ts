import type { Log } from "./log.ts";

const MASK = "********";
/** Shorter lines of a secret of several lines are too common to be hidden on their own. */
const SHORTEST_LINE = 8;

/** Replaces secrets in a text by `********`, the longest first. */
export type Mask = (text: string) => string;

/** A mask for these values, also without the blanks around them, and for the longer lines of those that have several. */
export function createMask(values: readonly string[]): Mask {
  const secrets = spellings(values);
  return (text) => replace(text, hiddenRanges(text, secrets));
}

/** A log that says nothing of the values, even where a process's output cuts one in two. */
export function maskLog(log: Log, values: readonly string[]): Log {
  const secrets = spellings(values);
  if (secrets.length === 0) return log;
  let held = "";
  const flush = () => {
    const rest = held;
    held = "";
    if (rest !== "") log.raw(mask(rest));
  };
  const mask: Mask = (text) => replace(text, hiddenRanges(text, secrets));
  const masked = (say: (text: string) => void) => (text: string) => {
    flush();
    say(mask(text));
  };
  return {
    error: masked(log.error),
    warning: masked(log.warning),
    info: masked(log.info),
    debug: masked(log.debug),
    trace: masked(log.trace),
    raw: (text) => {
      const all = held + text;
      const end = endOfCertain(all, secrets);
      held = all.slice(end);
      if (end > 0) log.raw(mask(all.slice(0, end)));
    },
    start: (text) => {
      flush();
      const stop = log.start(mask(text));
      return () => {
        flush();
        stop();
      };
    },
    progress: (name, status, stepDetail) => {
      flush();
      log.progress(name, status, stepDetail === undefined ? undefined : mask(stepDetail));
    },
  };
}

function spellings(values: readonly string[]): readonly string[] {
  const all = values.flatMap((value) => {
    const lines = value.split("\n").map((line) => line.trim());
    return [value, value.trim(), ...(lines.length > 1 ? lines.filter((line) => line.length >= SHORTEST_LINE) : [])];
  });
  return [...new Set(all)].filter((text) => text.trim() !== "").sort((left, right) => right.length - left.length);
}

type Range = readonly [start: number, end: number];

/** Where the text shows secrets; ranges that overlap are one. */
function hiddenRanges(text: string, secrets: readonly string[]): readonly Range[] {
  const found = secrets.flatMap((secret) => {
    const ranges: Range[] = [];
    for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1)) {
      ranges.push([at, at + secret.length]);
    }
    return ranges;
  });
  const merged: Range[] = [];
  for (const [start, end] of found.sort((left, right) => left[0] - right[0])) {
    const last = merged.at(-1);
    if (last !== undefined && start < last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], end)];
    else merged.push([start, end]);
  }
  return merged;
}

function replace(text: string, ranges: readonly Range[]): string {
  const kept = ranges.map(([start], index) => text.slice(ranges[index - 1]?.[1] ?? 0, start));
  return [...kept, text.slice(ranges.at(-1)?.[1] ?? 0)].join(MASK);
}

/** Up to where no secret can begin that what comes next would complete. */
function endOfCertain(text: string, secrets: readonly string[]): number {
  const longest = secrets[0]?.length ?? 0;
  let end = text.length;
  for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
    const tail = text.slice(at);
    if (secrets.some((secret) => secret.length > tail.length && secret.startsWith(tail))) {
      end = at;
      break;
    }
  }
  const cut = hiddenRanges(text, secrets).find(([start, rangeEnd]) => start < end && end < rangeEnd);
  return cut === undefined ? end : cut[0];
}
