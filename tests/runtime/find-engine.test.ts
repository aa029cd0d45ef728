import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { findEngines } from "../../src/runtime/find-engine.ts";

test("where no engine is installed, the hint says what runs containers and that images can be built without", () => {
  const wishes = { flag: undefined, environment: { PATH: "/nonexistent" }, configured: () => undefined };
  const find = () => findEngines(wishes, () => Promise.reject(new Error("nothing is run")));
  expect(find).toThrow(UserError);
  expect(hintOf(find)).toContain("Containers run on these alone");
  expect(hintOf(find)).toContain("cooper build --backend native");
});

function hintOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error.hint ?? "";
  }
  return "";
}
