import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/store/remove-tree.ts";

async function inFolder(use: (folder: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-remove-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("what nobody may read or write is removed too, and a symlink is not followed", () =>
  inFolder((folder) => {
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside", "kept"), "");
    const tree = join(folder, "tree");
    mkdirSync(join(tree, "work", "work", "inner"), { recursive: true });
    writeFileSync(join(tree, "work", "work", "inner", "file"), "");
    symlinkSync("../outside", join(tree, "link"));
    symlinkSync("../../outside", join(tree, "work", "link"));
    chmodSync(join(tree, "work", "work", "inner"), 0o000);
    chmodSync(join(tree, "work", "work"), 0o000);
    chmodSync(join(tree, "work"), 0o555);
    removeTree(tree);
    expect([existsSync(tree), existsSync(join(folder, "outside", "kept"))]).toEqual([false, true]);
    symlinkSync("outside", join(folder, "link"));
    removeTree(join(folder, "link"));
    expect([existsSync(join(folder, "link")), existsSync(join(folder, "outside", "kept"))]).toEqual([false, true]);
  }));

test("nothing there is as good as removed, a file is removed", () =>
  inFolder((folder) => {
    removeTree(join(folder, "none"));
    writeFileSync(join(folder, "file"), "");
    removeTree(join(folder, "file"));
    expect(existsSync(join(folder, "file"))).toBe(false);
  }));

test("directories that are deeper than any path may be long are removed", () =>
  inFolder((folder) => {
    const tree = join(folder, "tree");
    const name = "d".repeat(200);
    // Built from the inside: no path gets too long while it is made.
    mkdirSync(join(tree, name), { recursive: true });
    writeFileSync(join(tree, name, "file"), "");
    for (let depth = 0; depth < 60; depth += 1) {
      mkdirSync(join(folder, "next"));
      renameSync(tree, join(folder, "next", name));
      renameSync(join(folder, "next"), tree);
    }
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  }));

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
test.skipIf(!isRoot)("what remains is named, with the reason", () =>
  inFolder((folder) => {
    const place = join(folder, "tree", "mounted");
    mkdirSync(place, { recursive: true });
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "none", place]).exitCode).toBe(0);
    try {
      expect(() => removeTree(join(folder, "tree"))).toThrow(`Could not remove ${place}: EBUSY`);
    } finally {
      Bun.spawnSync(["umount", place]);
    }
    removeTree(join(folder, "tree"));
    expect(existsSync(join(folder, "tree"))).toBe(false);
  }),
);
