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

test("the schema says what a value has to be, for an editor to tell", () => {
  expect(settingsSchema()["properties"]).toMatchObject({
    memory: { type: ["string", "null"], pattern: "^[1-9]\\d*[kmgKMG]$" },
    pids_limit: { type: ["integer", "null"], minimum: 1 },
    cpus: { type: ["number", "null"], exclusiveMinimum: 0 },
    port: { type: ["integer", "null"], minimum: 1, maximum: 65535 },
    data_volumes_mode: { enum: ["always", "git", "never", null] },
    env_passthrough: { type: ["array", "null"], items: { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_]*$" } },
  });
});
