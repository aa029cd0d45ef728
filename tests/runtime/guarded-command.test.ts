import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uninterrupted } from "../../src/host/interruption.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import { guardedCommand } from "../../src/runtime/guarded-command.ts";

const run = createRunProcess(process.env, uninterrupted);
const shell = (script: string) => ({ file: "sh", args: ["-c", script, "sh", "a b", "$c"], env: { D: "d" } });

function runs(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}

test("it prints what its command prints and ends as that does, with nothing to read", async () => {
  const script = 'printf "%s|" "$@" "$D"; cat; echo lines >&2; exit 7';
  const { exitCode, stdout, stderr } = await run(guardedCommand(shell(script), "name"), { lifeline: true });
  expect([exitCode, stdout, stderr]).toEqual([7, "a b|$c|d|", "lines\n"]);
});

test("a command that is not there is told of as a shell tells of it", async () => {
  const missing = { file: "/no/such/program", args: [], env: {} };
  expect((await run(guardedCommand(missing), { lifeline: true })).exitCode).toBe(127);
});

test("when the other end of its stdin is gone, it ends all that was started, and removes what it was told of", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cooper-guard-"));
  try {
    const engine = join(folder, "engine");
    const stubborn = "trap '' TERM; setsid sh -c 'echo $$ >inner; exec sleep 1000' & while :; do sleep 0.1; done";
    writeFileSync(engine, `#!/bin/sh\ncd '${folder}'\n[ "$1" = rm ] && { echo "$*" >>removed; exit; }\n${stubborn}\n`, {
      mode: 0o755,
    });
    const { file, args } = guardedCommand({ file: engine, args: ["run"], env: {} }, "the-gate");
    const child = Bun.spawn([file, ...args], { stdin: "pipe", stdout: "ignore", stderr: "ignore", detached: true });
    const written = () => (existsSync(join(folder, "inner")) ? readFileSync(join(folder, "inner"), "utf8") : "");
    while (!written().endsWith("\n")) await Bun.sleep(20);
    const inner = Number(written());
    child.stdin.end();
    await child.exited;
    // Whoever inherits it may take a moment to see it off.
    while (runs(inner)) await Bun.sleep(20);
    expect(readFileSync(join(folder, "removed"), "utf8")).toBe("rm --force --volumes the-gate\n".repeat(3));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
