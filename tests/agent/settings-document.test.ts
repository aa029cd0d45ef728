import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { settingsPage, settingsSchema } from "../../src/agent/settings-document.ts";

const docs = join(import.meta.dir, "..", "..", "docs");

test("docs/config.md is what the table of settings says", () => {
  expect(readFileSync(join(docs, "config.md"), "utf8").trim()).toBe(settingsPage().trim());
});

test("docs/cooper.schema.json is what the table of settings says", () => {
  expect(JSON.parse(readFileSync(join(docs, "cooper.schema.json"), "utf8"))).toEqual(
    JSON.parse(JSON.stringify(settingsSchema())),
  );
});
