import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processIdentity } from "../../src/host/process-identity.ts";
import { openWorkDirectory, removePlainTree, sweepWorkDirectories } from "../../src/store/work-directory.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-work-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const removeTree = removePlainTree;
const signal = new AbortController().signal;
const dead = "00000000-0000-0000-0000-000000000000 1 1";

/** A folder with these folders in it, by what their `owner` says; null for none. */
function parentWith(owners: Readonly<Record<string, string | null>>): string {
  const parent = mkdtempSync(join(root, "parent-"));
  for (const [name, owner] of Object.entries(owners)) {
    mkdirSync(join(parent, name, "deep"), { recursive: true });
    if (owner !== null) writeFileSync(join(parent, name, "owner"), owner);
  }
  return parent;
}

test("what a killed process was making, using or removing is swept", async () => {
  const parent = parentWith({ used: dead, ".making": dead });
  mkdirSync(join(parent, ".begun"));
  mkdirSync(join(parent, "ended"));
  await sweepWorkDirectories(parent, { removeTree, alone: false });
  expect(readdirSync(parent)).toEqual([]);
});

test("what a living process makes or uses stays, and what says nothing of its owner until nobody else is there", async () => {
  const alive = processIdentity(process.pid) ?? "";
  const parent = parentWith({ using: alive, ".making": alive, ".unnamed": "", ".unknown": null });
  const before = readdirSync(parent).toSorted();
  await sweepWorkDirectories(parent, { removeTree, alone: false });
  expect(readdirSync(parent).toSorted()).toEqual(before);
  await sweepWorkDirectories(parent, { removeTree, alone: true });
  expect(readdirSync(parent)).toEqual([]);
});

test("many folders are made and closed while others look after the dead", async () => {
  const parent = parentWith({});
  await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const { path, close } = await openWorkDirectory(parent, { removeTree, signal });
      writeFileSync(join(path, "file"), String(index));
      await sweepWorkDirectories(parent, { removeTree, alone: false });
      expect(readdirSync(path).toSorted()).toEqual(["file", "owner"]);
      await close();
    }),
  );
  expect(readdirSync(parent)).toEqual([]);
});

test("a folder whose removal was cut short keeps its name and its owner, by which it can be swept", async () => {
  const parent = parentWith({});
  const cut = async (path: string) => {
    rmSync(path, { recursive: true });
    throw new Error("killed");
  };
  const { path, close } = await openWorkDirectory(parent, { removeTree: cut, signal });
  for (const name of ["1", "2"]) mkdirSync(join(path, name));
  await expect(close()).rejects.toThrow("killed");
  expect(readdirSync(parent).map((name) => join(parent, name))).toEqual([path]);
  expect(readdirSync(path)).toContain("owner");
});
