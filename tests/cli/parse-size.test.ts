import { expect, test } from "bun:test";
import { parseSize } from "../../src/cli/parse-size.ts";

test.each([
  ["4096", 4096],
  ["10GB", 10_000_000_000],
  ["10g", 10_000_000_000],
  ["1.5GiB", 1_610_612_736],
  ["500 MB", 500_000_000],
  ["0B", 0],
])("%s is a size", (text, bytes) => {
  expect(parseSize(text, "--keep-size")).toBe(bytes);
});

test.each(["", "GB", "-1GB", "10iB", "1,5GB", "10PB"])("%j is none", (text) => {
  expect(() => parseSize(text, "--keep-size")).toThrow(`--keep-size was given ${JSON.stringify(text)}: wanted a size.`);
});
