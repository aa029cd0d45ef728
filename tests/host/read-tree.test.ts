import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTree, type TreeFilter } from "../../src/host/read-tree.ts";

function withTree(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "cooper-tree-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function pathsOf(folder: string, filter?: TreeFilter): string[] {
  return [...readTree(folder, { filter, readCapability: () => undefined })].map(({ entry }) => entry.path);
}

test("names come in the order of their UTF-8 bytes, a directory before what is in it", () => {
  withTree((folder) => {
    for (const name of ["b", "B", "a.d", "ö", "\ufb01", "\u{1f600}", "z"]) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a", "x"), "");
    expect(pathsOf(folder)).toEqual(["B", "a", "a/x", "a.d", "b", "z", "ö", "\ufb01", "\u{1f600}"]);
  });
});

test("an ignored folder is looked into only where something in it may be wanted", () => {
  withTree((folder) => {
    for (const name of ["out", "deep"]) {
      mkdirSync(join(folder, name));
      for (const file of ["a", "keep"]) writeFileSync(join(folder, name, file), "");
    }
    const filter: TreeFilter = {
      isIgnored: (path) => !path.endsWith("keep"),
      mayContainReincluded: (path) => path === "deep",
    };
    expect(pathsOf(folder, filter)).toEqual(["deep/keep"]);
  });
});

test("symlinks are kept, wherever they lead", () => {
  withTree((folder) => {
    symlinkSync("/etc/passwd", join(folder, "out"));
    symlinkSync("loop", join(folder, "loop"));
    symlinkSync("..", join(folder, "up"));
    const entries = [...readTree(folder, { filter: undefined, readCapability: () => undefined })];
    expect(entries.map(({ entry }) => (entry.kind === "symlink" ? entry.target : entry.kind))).toEqual([
      "loop",
      "/etc/passwd",
      "..",
    ]);
  });
});

test("a named pipe is refused by name, and not waited for", () => {
  withTree((folder) => {
    Bun.spawnSync(["mkfifo", join(folder, "pipe")]);
    expect(() => pathsOf(folder)).toThrow(`${join(folder, "pipe")} cannot be in an image: it is a named pipe.`);
  });
});

test("a name that is no UTF-8 is refused", () => {
  withTree((folder) => {
    Bun.spawnSync(["sh", "-c", 'touch "$(printf "caf\\351")"'], { cwd: folder });
    expect(() => pathsOf(folder)).toThrow(/caf\ufffd cannot be in an image: its name is not UTF-8/);
  });
});

test("only what may be run is asked for capabilities", () => {
  withTree((folder) => {
    writeFileSync(join(folder, "data"), "", { mode: 0o644 });
    writeFileSync(join(folder, "program"), "", { mode: 0o755 });
    const asked: string[] = [];
    const readCapability = (path: string) => {
      asked.push(path);
      return Uint8Array.of(1);
    };
    const entries = [...readTree(folder, { filter: undefined, readCapability })].map(({ entry }) => entry);
    expect(asked).toEqual([join(folder, "program")]);
    expect(entries).toMatchObject([
      { path: "data", capability: undefined },
      { path: "program", capability: Uint8Array.of(1) },
    ]);
  });
});

test("what cannot be read is named", () => {
  withTree((folder) => {
    mkdirSync(join(folder, "d"));
    const entries = readTree(folder, { filter: undefined, readCapability: () => undefined });
    entries.next();
    rmSync(join(folder, "d"), { recursive: true });
    expect(() => entries.next()).toThrow(`Could not read ${join(folder, "d")}: it is gone.`);
  });
});
