import { expect, test } from "bun:test";
import { createBoundedLog } from "../../src/workflows/bounded-log.ts";

test("what fits is kept whole", () => {
  const log = createBoundedLog(10);
  log.add("one\n");
  log.add("two\n");
  expect(log.end()).toEqual({ text: "one\ntwo\n", bytes: 8, truncated: false });
});

test("of what does not fit the end is kept, and no half of a character", () => {
  const log = createBoundedLog(4);
  log.add("abcéé");
  expect(log.end()).toEqual({ text: "éé", bytes: 7, truncated: true });
  log.add("x");
  expect(log.end()).toEqual({ text: "éx", bytes: 8, truncated: true });
});

test("a long log is as good as its end", () => {
  const log = createBoundedLog(5);
  for (let index = 0; index < 50_000; index += 1) log.add(`${index}\n`);
  expect(log.end()).toEqual({ text: "9999\n", bytes: 288_890, truncated: true });
});
