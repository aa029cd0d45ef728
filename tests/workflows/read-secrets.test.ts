import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { readSecrets } from "../../src/workflows/read-secrets.ts";

function read(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "cooper-secrets-"));
  const path = join(folder, "secrets.json");
  try {
    writeFileSync(path, text);
    return readSecrets(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function failureOf(text: string): UserError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("comments and trailing commas are tolerated", () => {
  const { env, mask } = read('{\n// CI\n"TOKEN": "canary",\n"EMPTY": "",\n}');
  expect(env).toEqual({ TOKEN: "canary", EMPTY: "" });
  expect(mask("the canary")).toBe("the ********");
});

test("without a file there are none", () => {
  const { env, mask } = readSecrets(undefined);
  expect(env).toEqual({});
  expect(mask("text")).toBe("text");
});

test("a file that is not there is said, in the words of the reference's result", () => {
  try {
    readSecrets("/nonexistent/secrets.json");
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ description: "Failed to read/parse secrets" });
    expect(String(error)).toContain("/nonexistent/secrets.json");
    return;
  }
  throw new Error("nothing was thrown");
});

test.each([
  ['{"TOKEN": "canary"', /secrets\.json:1: CloseBraceExpected/],
  ['{\n"TOKEN": canary}', /secrets\.json:2: InvalidSymbol/],
  ['["canary"]', /does not hold a JSON object/],
  ['{"TOKEN": {"value": "canary"}}', /the value of TOKEN is not a string/],
  ['{"TO=KEN": "canary"}', /"TO=KEN" cannot be the name of a variable/],
  ['{"TOKEN": "canary\\u0000"}', /the value of TOKEN holds a NUL character/],
])("%s is refused without a word of its values", (text, message) => {
  const failure = failureOf(text);
  expect(failure.message).toMatch(message);
  expect(failure.description).toBe("Failed to read/parse secrets");
  expect(`${failure.message}${failure.hint}${failure.stack}`).not.toContain("canary");
});
