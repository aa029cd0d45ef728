import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LifecycleCommand } from "../../src/devcontainer/schema.ts";
import { UserError } from "../../src/errors.ts";
import { createRunProcess } from "../../src/host/spawn.ts";
import { runInitializeCommand } from "../../src/workflows/run-initialize-command.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

/** Tests run without a terminal, so nobody is asked. */
async function run(
  initializeCommand: LifecycleCommand,
  options: { hostCommands?: boolean; settings?: string } = {},
): Promise<{ read: (file: string) => string | undefined; said: readonly string[]; error: unknown }> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-initialize-"));
  try {
    mkdirSync(join(folder, ".config", "cooper"), { recursive: true });
    if (options.settings !== undefined)
      writeFileSync(join(folder, ".config", "cooper", "config.jsonc"), options.settings);
    const runProcess = createRunProcess(process.env, { signal: new AbortController().signal });
    const tools = { ...createFakeTools(createRecordingRuntime("docker", {}), folder), runProcess };
    const configuration = {
      config: { initializeCommand },
      workspaceFolder: folder,
      configPath: join(folder, "devcontainer.json"),
    };
    let error: unknown;
    await runInitializeCommand(configuration, { hostCommands: options.hostCommands }, tools).catch(
      (thrown: unknown) => {
        error = thrown;
      },
    );
    const written = ["a", "b"].flatMap((file) => {
      const path = join(folder, file);
      return existsSync(path) ? [[file, readFileSync(path, "utf8")] as const] : [];
    });
    return { read: (file) => new Map(written).get(file), said: tools.messages, error };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a line is the shell's, in the workspace folder", async () => {
  const { read, error } = await run('echo "$((6*7))" >a; test -d .config && echo here >>a');
  expect(error).toBeUndefined();
  expect(read("a")).toBe("42\nhere\n");
});

test("an argument vector goes through no shell", async () => {
  const { read } = await run(["cp", "/etc/hostname", "a"]);
  expect(read("a")).toBe(readFileSync("/etc/hostname", "utf8"));
});

test("of several commands one that fails keeps the others from nothing", async () => {
  const { read, error } = await run({ bad: "echo why; exit 3", good: "sleep 0.1; echo done >b" });
  expect(read("b")).toBe("done\n");
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({
    message: "bad of initializeCommand from devcontainer.json failed on the host with exit code 3.\nwhy",
    description: "The initializeCommand in the devcontainer.json failed.",
  });
});

test("--no-host-commands runs nothing and says so", async () => {
  const { read, said, error } = await run("echo x >a", { hostCommands: false });
  expect(read("a")).toBeUndefined();
  expect(error).toBeUndefined();
  expect(said).toEqual([
    "warning: The initializeCommand does not run: commands of the repository on this host are turned off.",
  ]);
});

test("the user's settings can turn it off, and the command line on again", async () => {
  const settings = '{ "host_commands": false }';
  expect((await run("echo x >a", { settings })).read("a")).toBeUndefined();
  expect((await run("echo x >a", { settings, hostCommands: true })).read("a")).toBe("x\n");
});

test("an empty command is none", async () => {
  for (const empty of ["", [], {}] satisfies LifecycleCommand[]) expect((await run(empty)).said).toEqual([]);
});

/** Runs it on a terminal and types the answer to the question, if one is asked. */
async function runOnTerminal(folder: string, command: string, answer: string) {
  let shown = "";
  let answered = false;
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "initialize-program.ts"), folder, command], {
    terminal: {
      data: (terminal, data) => {
        shown += data.toString();
        if (!answered && shown.includes("[y/N]")) {
          answered = true;
          terminal.write(answer);
        }
      },
    },
  });
  const exitCode = await child.exited;
  return { exitCode, shown: shown.replaceAll("\r", ""), asked: answered, ran: existsSync(join(folder, "ran")) };
}

function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cooper-initialize-"));
  return use(folder).finally(() => rmSync(folder, { recursive: true }));
}

test("on a terminal the command is shown and asked for, once for a workspace and content", async () => {
  await withFolder(async (folder) => {
    const first = await runOnTerminal(folder, "touch ran", "y\n");
    expect(first).toMatchObject({ exitCode: 0, asked: true, ran: true });
    expect(first.shown).toContain(
      `${folder}/devcontainer.json wants to run on this host, in ${folder}:\n    touch ran\n`,
    );
    expect(await runOnTerminal(folder, "touch ran", "n\n")).toMatchObject({ exitCode: 0, asked: false });
    expect(await runOnTerminal(folder, "touch ran  ", "n\n")).toMatchObject({ exitCode: 1, asked: true });
  });
});

test("anything but a yes is a no, which ends the run and says how to go on without", async () => {
  for (const answer of ["\n", "n\n", "yess\n", "\u0004"]) {
    await withFolder(async (folder) => {
      const { exitCode, shown, ran } = await runOnTerminal(folder, "touch ran", answer);
      expect([exitCode, ran]).toEqual([1, false]);
      expect(shown).toContain("The initializeCommand was not allowed to run.");
    });
  }
});

test("Ctrl-C at the question runs nothing", async () => {
  await withFolder(async (folder) => {
    const { exitCode, shown, ran } = await runOnTerminal(folder, "touch ran", "\u0003");
    expect([exitCode, ran]).toEqual([1, false]);
    expect(shown).toContain("Interrupted by SIGINT.");
  });
});

test("a command cannot hide what it is behind control characters", async () => {
  await withFolder(async (folder) => {
    const { shown } = await runOnTerminal(folder, "touch ran #\r\u001b[2K\u202echo", "n\n");
    expect(shown).toContain("touch ran #\\u{d}\\u{1b}[2K\\u{202e}cho\n");
  });
});
