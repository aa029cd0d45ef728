import { expect, test } from "bun:test";
import { chooseRemovals, type RetainedItem, sizeOf } from "../../src/oci/retention.ts";

const item = (kind: "image" | "step", id: string, lastUsed: number, parts: Record<string, number>): RetainedItem => ({
  kind,
  id,
  lastUsed,
  parts: new Map(Object.entries(parts)),
});
const base = { base: 100 };
const items = [
  item("image", "new", 30, { ...base, n: 10 }),
  item("image", "old", 10, { ...base, o: 10 }),
  item("image", "middle", 20, { m: 50 }),
  item("step", "of-old", 5, { o: 10 }),
  item("step", "of-none", 15, { s: 7 }),
  item("step", "of-new", 1, { n: 10 }),
];
const unused = (rule: { usedBefore?: number; keepSize?: number }) =>
  chooseRemovals(items, { kind: "unused", usedBefore: undefined, keepSize: undefined, ...rule }).map(({ id }) => id);

test("what several need is counted once", () => {
  expect(sizeOf(items)).toBe(177);
});

test("superseded images go, and steps that no image has that stays", () => {
  const gone = chooseRemovals(items, { kind: "superseded", images: new Set(["old"]) });
  expect(gone.map(({ id }) => id)).toEqual(["of-old", "old", "of-none"]);
});

test("what was used since a time stays, and so does what an image that stays is made of", () => {
  expect(unused({ usedBefore: 12 })).toEqual(["of-old", "old"]);
  expect(unused({ usedBefore: 18 })).toEqual(["of-old", "old", "of-none"]);
  expect(unused({ usedBefore: 5 })).toEqual([]);
});

test("the least recently used go until few enough bytes are left", () => {
  expect(unused({ keepSize: 177 })).toEqual([]);
  expect(unused({ keepSize: 176 })).toEqual(["of-old", "old"]);
  expect(unused({ keepSize: 166 })).toEqual(["of-old", "old", "of-none"]);
  expect(unused({ keepSize: 110 })).toEqual(["of-old", "old", "of-none", "middle"]);
  expect(unused({ keepSize: 0 })).toHaveLength(items.length);
});

test("age and size go together", () => {
  expect(unused({ usedBefore: 12, keepSize: 165 })).toEqual(["of-old", "old", "of-none"]);
});
