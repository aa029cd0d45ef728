import { expect, test } from "bun:test";
import { parseAge } from "../../src/cli/parse-age.ts";

test.each([
  ["72h", 72 * 3600],
  ["30d", 30 * 86_400],
  ["1h30m", 5400],
  ["2w", 14 * 86_400],
  ["0s", 0],
])("%s is an age", (text, seconds) => {
  expect(parseAge(text, "--until")).toBe(seconds * 1000);
});

test.each(["", "72", "h", "-1h", "1.5h", "1h 30m", "3y"])("%j is none", (text) => {
  expect(() => parseAge(text, "--until")).toThrow(`--until was given ${JSON.stringify(text)}: wanted an age.`);
});
