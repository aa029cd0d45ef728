import { expect, test } from "bun:test";
import { chainIdOf } from "../../src/oci/chain-id.ts";
import { sha256Of } from "../../src/oci/digest.ts";

const [a, b, c] = ["a", "b", "c"].map((text) => sha256Of(text));

test("a chain id names a layer with all below it, by the image specification's rule", () => {
  if (a === undefined || b === undefined || c === undefined) throw new Error("There are three.");
  expect(chainIdOf([])).toBeUndefined();
  expect(chainIdOf([a])).toBe(a);
  expect(chainIdOf([a, b])).toBe(sha256Of(`${a} ${b}`));
  expect(chainIdOf([a, b, c])).toBe(sha256Of(`${sha256Of(`${a} ${b}`)} ${c}`));
});
