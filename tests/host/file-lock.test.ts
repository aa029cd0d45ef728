import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LockMode, lockFile } from "../../src/host/file-lock.ts";

const directory = mkdtempSync(join(tmpdir(), "cooper-lock-"));
const path = join(directory, "lock");
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const never = new AbortController().signal;
const tryLock = (mode: LockMode) => lockFile(path, mode, { signal: never, milliseconds: 0 });

const children: { kill: (signal: "SIGKILL") => void; readonly exited: Promise<number> }[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});

/** Another process that holds the lock. */
async function lockElsewhere(mode: LockMode) {
  const words = [process.execPath, join(import.meta.dir, "locking-process.ts"), path, mode];
  const child = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  children.push(child);
  const reader = child.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("locked\n");
  return child;
}

test("shared locks go together, and an exclusive one with none", async () => {
  const [one, two] = [await tryLock("shared"), await tryLock("shared")];
  expect(await tryLock("exclusive")).toBeUndefined();
  one?.release();
  two?.release();
  const alone = await tryLock("exclusive");
  expect([await tryLock("shared"), await tryLock("exclusive")]).toEqual([undefined, undefined]);
  alone?.release();
});

test("a lock of another process is waited for, and is gone with the process however it ends", async () => {
  const child = await lockElsewhere("shared");
  expect(await tryLock("exclusive")).toBeUndefined();
  const told: string[] = [];
  const waiting = lockFile(path, "exclusive", { signal: never, onWait: () => told.push("once") });
  child.kill("SIGKILL");
  const lock = await waiting;
  expect([lock === undefined, told]).toEqual([false, ["once"]]);
  lock?.release();
});

test("waiting ends with an interruption, and leaves nothing locked", async () => {
  const held = await tryLock("exclusive");
  const controller = new AbortController();
  const waiting = lockFile(path, "shared", { signal: controller.signal });
  controller.abort(new Error("interrupted"));
  await expect(waiting).rejects.toThrow("interrupted");
  held?.release();
  (await tryLock("exclusive"))?.release();
  expect(readdirSync(directory)).toEqual(["lock"]);
});
