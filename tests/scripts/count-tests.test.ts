import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countTests } from "../../scripts/count-tests.ts";

const closing = (...lines: readonly string[]) => ["(pass) something", "", ...lines, ""].join("\n");

test("passed, failed and skipped tests are counted, and a todo is a skipped one", () => {
  const output = closing(
    " 12 pass",
    " 3 skip",
    " 1 todo",
    " 2 fail",
    " 40 expect() calls",
    "Ran 18 tests across 4 files. [1.20s]",
  );
  expect(countTests(output, 1)).toEqual({ passed: 12, failed: 2, skipped: 4 });
});

test("colors do not hide the counts", () => {
  const output = closing(
    "\u001b[32m 5 pass\u001b[0m",
    "\u001b[2m 0 fail\u001b[0m",
    "Ran 5 tests across 1 file. \u001b[2m[9.00ms]",
  );
  expect(countTests(output, 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
});

test("counts that a test prints itself are not mistaken for the closing block", () => {
  const output = ` 99 fail\nRan 99 tests across 9 files.\n${closing(" 5 pass", " 0 fail", "Ran 5 tests across 1 file. [9.00ms]")}`;
  expect(countTests(output, 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
});

test("a run that ends badly without a failed test is a failure", () => {
  const output = closing(" 5 pass", " 0 fail", "Ran 5 tests across 1 file. [9.00ms]");
  expect(countTests(output, 137)).toEqual({ passed: 5, failed: 1, skipped: 0 });
});

test("a run that says nothing is a failure", () => {
  expect(countTests("error: no such file", 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("the counts of a real run of bun test are read", async () => {
  const directory = mkdtempSync(join(tmpdir(), "cooper-count-tests-"));
  await Bun.write(
    `${directory}/some.test.ts`,
    'import { expect, test } from "bun:test";\ntest("yes", () => {});\ntest.skip("later", () => {});\ntest("no", () => expect(1).toBe(2));\n',
  );
  await Bun.write(`${directory}/broken.test.ts`, 'import "./missing.ts";\n');
  const child = Bun.spawn([process.execPath, "test"], { cwd: directory, stdout: "pipe", stderr: "pipe" });
  const output = (await child.stdout.text()) + (await child.stderr.text());
  rmSync(directory, { recursive: true });
  expect(countTests(output, await child.exited)).toEqual({ passed: 1, failed: 2, skipped: 1 });
});
