/* Writes docs/config.md and docs/cooper.schema.json from the one table of settings; a test tells when they are out of date. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsPage, settingsSchema } from "../src/agent/settings-document.ts";

const docs = join(import.meta.dir, "..", "docs");
writeFileSync(join(docs, "config.md"), settingsPage());
writeFileSync(join(docs, "cooper.schema.json"), `${JSON.stringify(settingsSchema(), null, 2)}\n`);
