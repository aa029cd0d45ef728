import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimStaged, sweepUnclaimed } from "../../src/store/staged-claim.ts";
import { stagedPath } from "../../src/store/staged-path.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-claim-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NOW = Date.now();
const old = (path: string) => utimesSync(path, 0, 0);

function stageOld(name: string): { folder: string; file: string; directory: string } {
  const folder = mkdtempSync(join(root, "folder-"));
  const [file, directory] = [stagedPath(join(folder, name)), stagedPath(join(folder, name))];
  writeFileSync(file, "half");
  mkdirSync(directory);
  writeFileSync(join(directory, "half"), "");
  return { folder, file, directory };
}

test("what nobody claims any more is swept, and nothing else", async () => {
  const { folder, file, directory } = stageOld("build.log");
  const others = ["build.log", ".other.1.partial", ".build.log.1"].map((name) => join(folder, name));
  for (const path of others) writeFileSync(path, "");
  for (const path of [file, directory, ...others]) old(path);
  await sweepUnclaimed(folder, ["build.log"], NOW);
  expect(readdirSync(folder).sort()).toEqual([".build.log.1", ".other.1.partial", "build.log"]);
});

test("what is claimed stays until it is released, whatever its age", async () => {
  const { folder, file, directory } = stageOld("a.tar");
  const claims = [await claimStaged(file, "file"), await claimStaged(directory, "folder")];
  for (const path of [file, directory]) old(path);
  await sweepUnclaimed(folder, ["a.tar"], NOW);
  expect([existsSync(file), existsSync(directory)]).toEqual([true, true]);
  for (const claim of claims) claim?.release();
  for (const path of [file, directory]) old(path);
  await sweepUnclaimed(folder, ["a.tar"], NOW);
  expect(readdirSync(folder)).toEqual([]);
});

test("what was made a moment ago stays, as it may be about to be claimed", async () => {
  const { folder, file } = stageOld("a.tar");
  await sweepUnclaimed(folder, ["a.tar"], NOW);
  expect(existsSync(file)).toBe(true);
});

test("a link in the place of a staged file goes, and what it leads to stays as it is", async () => {
  const folder = mkdtempSync(join(root, "folder-"));
  const outside = mkdtempSync(join(root, "outside-"));
  writeFileSync(join(outside, "kept"), "");
  symlinkSync(join(outside, "made"), stagedPath(join(folder, "build.log")));
  symlinkSync(outside, stagedPath(join(folder, "build.log")));
  await sweepUnclaimed(folder, ["build.log"], NOW + 60_000);
  expect([readdirSync(folder), readdirSync(outside)]).toEqual([[], ["kept"]]);
});

test("a folder that is not there has nothing to be swept", async () => {
  await sweepUnclaimed(join(root, "nowhere"), ["a"], NOW);
  expect(existsSync(join(root, "nowhere"))).toBe(false);
});
