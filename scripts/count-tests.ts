import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a run of `bun test` came to. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * The counts that the closing block of `bun test` gives; a todo is a skipped test. A run that ended badly without a failed test, or
 * without such a block at all, counts as one failure.
 */
export function countTests(output: string, exitCode: number): TestCounts {
  const lines = Bun.stripANSI(output).split("\n");
  const end = lines.findLastIndex((line) => /^Ran \d+ tests? across \d+ files?\./.test(line));
  const start = lines.lastIndexOf("", end) + 1;
  const counts = new Map<string, number>();
  for (const line of end === -1 ? [] : lines.slice(start, end)) {
    const [, count, word] = /^ *(\d+) (pass|fail|skip|todo)$/.exec(line) ?? [];
    if (count !== undefined && word !== undefined) counts.set(word, Number(count));
  }
  const failed = counts.get("fail") ?? 0;
  return {
    passed: counts.get("pass") ?? 0,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: (counts.get("skip") ?? 0) + (counts.get("todo") ?? 0),
  };
}

if (import.meta.main) {
  const [folder = "", ...exitCodes] = process.argv.slice(2);
  const runs = exitCodes.map((code, index) =>
    countTests(readFileSync(join(folder, String(index)), "utf8"), Number(code)),
  );
  const total = (of: keyof TestCounts) => runs.reduce((sum, counts) => sum + counts[of], 0);
  console.log(`${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`);
  process.exit(total("failed") === 0 ? 0 : 1);
}
