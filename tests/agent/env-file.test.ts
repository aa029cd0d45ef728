import { expect, test } from "bun:test";
import { readEnvFile } from "../../src/agent/env-file.ts";

test("an env file's names are told, and those without a value with their line", () => {
  const text = "\ufeffA=1\r\n# B=2\n  \t# AWS_KEY\n\n  C=a=b\nAWS_KEY\n*\nA=2\n D \n";
  expect(readEnvFile(text)).toEqual({
    names: ["A", "C", "AWS_KEY", "*", "D "],
    bare: [
      { name: "AWS_KEY", line: 6 },
      { name: "*", line: 7 },
      { name: "D ", line: 9 },
    ],
  });
});
