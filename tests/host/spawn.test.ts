import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Interrupted } from "../../src/errors.ts";
import { startDuplex } from "../../src/host/duplex-process.ts";
import { createRunProcess } from "../../src/host/spawn.ts";

const program = join(import.meta.dir, "attached-run.ts");

function startAttached(kind: "inherited" | "terminal", words: readonly string[], stdin = "") {
  return Bun.spawn([process.execPath, program, kind, ...words], {
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function endOf(child: ReturnType<typeof startAttached>) {
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, exitCode };
}

/** The pid that a child printed as its first line. */
async function firstLine(child: ReturnType<typeof startAttached>): Promise<string> {
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended early: ${text}`);
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return text.trim();
}

/** Resolves when the process is gone; one that nobody has waited for yet counts as gone. */
async function goneProcess(pid: number): Promise<void> {
  while (
    /^\d+ \(.*\) [^ZX]/.test(
      await Bun.file(`/proc/${pid}/stat`)
        .text()
        .catch(() => ""),
    )
  )
    await Bun.sleep(10);
}

test("an attached child has our stdin and stdout, byte for byte", async () => {
  const bytes = randomBytes(1024 * 1024);
  const child = Bun.spawn([process.execPath, program, "inherited", "cat"], {
    stdin: bytes,
    stdout: "pipe",
    stderr: "ignore",
  });
  const received = Buffer.from(await child.stdout.bytes());
  expect(received.equals(bytes)).toBe(true);
});

test("an attached child's stderr is ours, its variables are added, and its exit code comes back", async () => {
  const ended = await endOf(startAttached("inherited", ["sh", "-c", 'echo "$GREETING"; echo oops >&2; exit 7']));
  expect(ended).toEqual({ stdout: "hello\n", stderr: "oops\nexit code 7, signal undefined\n", exitCode: 7 });
});

test("a child that a signal ended has 128 and the signal's number", async () => {
  const { exitCode } = await endOf(startAttached("inherited", ["sh", "-c", "kill -QUIT $$"]));
  expect(exitCode).toBe(131);
});

test("an attached child is in our process group, so that the terminal's signals are its own", async () => {
  const { stdout } = await endOf(startAttached("inherited", ["sh", "-c", "ps -o pgid= -p $$; ps -o pgid= -p $PPID"]));
  const [child, parent] = stdout.trim().split(/\s+/);
  expect(child).toBe(parent);
});

test.each(["SIGTERM", "SIGHUP"] as const)("%s is passed on to an attached child, and told of", async (name) => {
  const child = startAttached("inherited", [
    "sh",
    "-c",
    "trap 'exit 5' TERM HUP; echo $$; while :; do sleep 0.05; done",
  ]);
  await firstLine(child);
  child.kill(name);
  expect(await child.stderr.text()).toBe(`exit code 5, signal ${name}\n`);
  expect(await child.exited).toBe(5);
});

test("SIGINT is an attached child's own affair: one that does not get it goes on", async () => {
  const child = startAttached("inherited", ["sh", "-c", "echo $$; sleep 0.3; exit 6"]);
  await firstLine(child);
  child.kill("SIGINT");
  expect(await child.stderr.text()).toBe("exit code 6, signal SIGINT\n");
});

test("in a terminal of its own a child finds one of the wanted size, and our stdin, byte for byte", async () => {
  const child = startAttached("terminal", ["sh", "-c", "stty size; head -c 3 | od -An -tx1; exit 3"], "a\u0003\n");
  const { stdout, stderr, exitCode } = await endOf(child);
  expect(stdout).toBe("");
  expect(stderr).toContain("22 71");
  expect(stderr).toContain(" 61 03 0a");
  expect(stderr).toContain("exit code 3, signal undefined\n");
  expect(exitCode).toBe(3);
});

test("the end of our stdin is typed into a terminal", async () => {
  const { stderr, exitCode } = await endOf(startAttached("terminal", ["sh", "-c", "head -c 1 | od -An -tx1"]));
  expect(stderr).toContain(" 04");
  expect(exitCode).toBe(0);
});

test("a piped child that is interrupted ends with all that it started", async () => {
  const controller = new AbortController();
  const run = createRunProcess(process.env, { signal: controller.signal });
  let pids: number[] = [];
  const running = run(
    { file: "sh", args: ["-c", "sleep 60 & echo $$ $!; wait"], env: {} },
    {
      onOutput: (text) => {
        pids = text.trim().split(" ").map(Number);
        controller.abort(new Interrupted("SIGINT"));
      },
    },
  );
  await expect(running).rejects.toBeInstanceOf(Interrupted);
  expect(pids).toHaveLength(2);
  await Promise.all(pids.map(goneProcess));
});

test("a child that was given a lifeline takes with it what holds its output open", async () => {
  const run = createRunProcess(process.env, { signal: new AbortController().signal });
  const command = { file: "sh", args: ["-c", "sleep 60 & echo $!; exit 3"], env: {} };
  const { exitCode, stdout } = await run(command, { lifeline: true });
  expect(exitCode).toBe(3);
  await goneProcess(Number(stdout));
});

test("so does one that is talked to in bytes, if its end is that of its group", async () => {
  const child = startDuplex({ file: "sh", args: ["-c", "sleep 60 & exit 4"], env: {} }, process.env, { isGroup: true });
  expect((await child.exited).exitCode).toBe(4);
});

test("a piped child works in the folder it is given", async () => {
  const run = createRunProcess(process.env, { signal: new AbortController().signal });
  expect((await run({ file: "pwd", args: [], env: {} }, { workingDirectory: "/usr" })).stdout).toBe("/usr\n");
});
