import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArchive } from "../../src/store/content-files.ts";

test.each([
  ["a pipe, which nobody writes to", (path: string) => void Bun.spawnSync(["mkfifo", path])],
  ["a folder", (path: string) => mkdirSync(path)],
])("%s is no archive, and not waited for", async (_what, make) => {
  const folder = mkdtempSync(join(tmpdir(), "cooper-archive-"));
  const path = join(folder, "x.tar");
  try {
    make(path);
    await expect(openArchive(path)).rejects.toMatchObject({
      message: `Could not open the image archive ${path}: it is no file.`,
      hint: expect.stringContaining("oci:DIR"),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
