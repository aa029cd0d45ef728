import { expect, test } from "bun:test";
import { createSlots } from "../../src/workflows/forward-ports-slots.ts";

test("no more than so many have a slot, the others wait in order, and those after them are refused", async () => {
  const slots = createSlots({ atOnce: 2, waiting: 2 });
  const waited: number[] = [];
  const served: number[] = [];
  const ask = (who: number) =>
    slots
      .take(() => waited.push(who))
      .then((release) => {
        if (release !== undefined) served.push(who);
        return release;
      });
  const [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(ask);
  expect(await fifth).toBeUndefined();
  const release = await first;
  await second;
  expect(served).toEqual([1, 2]);
  expect(waited).toEqual([3, 4]);
  release?.();
  await third;
  expect(served).toEqual([1, 2, 3]);
  (await second)?.();
  await fourth;
  expect(served).toEqual([1, 2, 3, 4]);
});

test("a slot that was given back can be had again", async () => {
  const slots = createSlots({ atOnce: 1, waiting: 0 });
  const release = await slots.take(() => {});
  expect(await slots.take(() => {})).toBeUndefined();
  release?.();
  expect(await slots.take(() => {})).toBeFunction();
});
