import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BASE_IMAGE } from "./engines.ts";
import { describeNative, type NativeEngine } from "./native.ts";
import { processesWith, until } from "./processes.ts";

describeNative((native) => {
  const inBase = (words: readonly string[], options: readonly string[] = []) =>
    native.run(["image", "run", ...options, BASE_IMAGE, ...words]);

  test("output, input and the exit code are the command's, and what it wrote is gone", async () => {
    const { command, ...rest } = native.command(["image", "run", BASE_IMAGE, "sh", "-c", "cat; echo no >&2; exit 42"]);
    const bytes = randomBytes(3_000_000);
    const child = Bun.spawn(command, { ...rest, stdin: bytes, stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
    expect(Buffer.from(stdout).equals(bytes)).toBe(true);
    expect([stderr, await child.exited]).toEqual(["no\n", 42]);
    await inBase(["touch", "/etc/left-behind"]);
    expect((await inBase(["ls", "/etc/left-behind"])).exitCode).toBe(2);
    expect(readdirSync(join(native.store, "work"))).toEqual([]);
  });

  test("a command that a signal ended gives 128 and the signal's number", async () => {
    expect((await inBase(["sh", "-c", "kill -KILL $$"])).exitCode).toBe(137);
  });

  test("the end of the command is the end of what it left running", async () => {
    const nap = `1${randomBytes(3).readUIntBE(0, 3)}`;
    const { exitCode, stdout } = await inBase(["sh", "-c", `setsid sleep ${nap} & echo $?`]);
    expect([exitCode, stdout]).toEqual([0, "0\n"]);
    expect(processesWith(nap)).toEqual([]);
  });

  test("a program that is not there is 127, one that is none is 126, and both say why", async () => {
    const absent = await inBase(["no-such-program"]);
    expect([absent.exitCode, absent.stderr]).toEqual([
      127,
      "error: Could not start no-such-program in the image: there is no such program, or not what it is linked with.\n",
    ]);
    const none = await inBase(["/etc/passwd"]);
    expect([none.exitCode, none.stderr]).toEqual([126, expect.stringContaining("may not be executed")]);
  });

  test("variables, working directory and user are as asked for, the user by the image's own names", async () => {
    const options = ["--env", "GIVEN=one two", "--env", "TAKEN", "--workdir", "/made/here", "--user", "www-data:users"];
    const { stdout } = await native.run(
      ["image", "run", ...options, BASE_IMAGE, "sh", "-c", 'pwd; id -un; id -gn; echo "$HOME/$GIVEN/$TAKEN/$UNSEEN"'],
      { env: { TAKEN: "yes", UNSEEN: "no" } },
    );
    expect(stdout).toBe("/made/here\nwww-data\nusers\n/var/www/one two/yes/\n");
  });

  test("an image's user, entrypoint, command, variables and relative working directory count", async () => {
    const settings = ["--user", "daemon", "--env", "OWN=1", "--workdir", "/usr/games"];
    const program = ["--entrypoint", '["/bin/sh","-c"]', "--cmd", '["id -un; pwd; echo $OWN$HOME"]'];
    await makeImage(native, { name: "native-run/settings:1", args: [...settings, ...program] });
    const { stdout, stderr } = await native.run(["image", "run", "store:native-run/settings:1"]);
    expect([stdout, stderr]).toEqual(["daemon\n/usr/games\n1/usr/sbin\n", ""]);
    const other = await native.run(["image", "run", "--entrypoint", "echo", "native-run/settings:1", "words"]);
    expect(other.stdout).toBe("words\n");
    const none = await native.run(["image", "run", "--entrypoint=", "native-run/settings:1"]);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("says nothing about what to run")]);
  });

  test("--network none leaves the loopback alone", async () => {
    const { stdout } = await inBase(["sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1"], ["--network", "none"]);
    expect(stdout.trim()).toBe("lo");
  });

  test("an image that is not there, and a user that it does not have, say what to do", async () => {
    const absent = await native.run(["image", "run", "localhost/cooper/absent:1", "true"]);
    expect(absent.exitCode).toBe(1);
    expect(absent.stderr).toContain("cooper's store has no image called localhost/cooper/absent:1.");
    expect(absent.stderr).toContain(
      "cooper image copy engine:localhost/cooper/absent:1 store:localhost/cooper/absent:1",
    );
    const nobody = await inBase(["true"], ["--user", "nobody-of-that-name"]);
    expect([nobody.exitCode, nobody.stderr]).toEqual([
      1,
      expect.stringContaining("/etc/passwd has no nobody-of-that-name"),
    ]);
    const relative = await inBase(["true"], ["--workdir", "here"]);
    expect([relative.exitCode, relative.stderr]).toEqual([1, expect.stringContaining("begins with a slash")]);
  });

  test("a terminal is the command's own: its size, and Ctrl-C, which the command may act on", async () => {
    const script = "stty size; echo $TERM; trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.1; done";
    const { command, env, cwd } = native.command(["image", "run", BASE_IMAGE, "sh", "-c", script]);
    let output = "";
    const child = Bun.spawn(command, {
      cwd,
      env: { ...env, TERM: "screen" },
      terminal: { cols: 91, rows: 33, data: (_terminal, data) => (output += data.toString()) },
    });
    await until(
      () => output.includes("ready"),
      () => output,
    );
    child.terminal?.write("\u0003");
    expect(await child.exited).toBe(4);
    await until(
      () => output.includes("caught"),
      () => output,
    );
    expect(output).toContain("33 91\r\nscreen\r\n");
    child.terminal?.close();
  });

  test("a shell in a terminal has job control, and leaves with its own exit code", async () => {
    const { command, env, cwd } = native.command(["image", "run", BASE_IMAGE]);
    let output = "";
    const child = Bun.spawn(command, {
      cwd,
      env: { ...env, TERM: "xterm" },
      terminal: { data: (_terminal, data) => (output += data.toString()) },
    });
    const type = (text: string) => child.terminal?.write(text);
    await until(
      () => output.includes("# "),
      () => output,
    );
    expect(output).not.toContain("job control");
    type("sleep 1000\r");
    await until(
      () => output.includes("sleep 1000"),
      () => output,
    );
    await Bun.sleep(300);
    type("\u0003");
    type("echo ended with $?\r");
    await until(
      () => output.includes("ended with 130"),
      () => output,
    );
    type("exit 6\r");
    expect(await child.exited).toBe(6);
    child.terminal?.close();
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s ends the container with all that runs in it, with %d", async (signal, code) => {
    const nap = `1${randomBytes(3).readUIntBE(0, 3)}`;
    const script = `sleep ${nap} & setsid sleep ${nap} & sleep ${nap}`;
    const { command, ...rest } = native.command(["image", "run", BASE_IMAGE, "sh", "-c", script]);
    const child = Bun.spawn(command, { ...rest, stdin: "ignore", detached: true });
    const running = () => processesWith(`sleep ${nap}`).filter(({ words }) => words.startsWith("sleep"));
    await until(
      () => running().length === 3,
      () => "the command to run",
    );
    // As a terminal does it: to all of the process group.
    process.kill(-child.pid, signal);
    expect(await child.exited).toBe(code);
    await until(
      () => running().length === 0,
      () => JSON.stringify(running()),
    );
    expect(readdirSync(join(native.store, "work"))).toEqual([]);
  });
});

describeNative((native) => {
  // What an image has in the place of its user database.
  test.each([
    ["pipe", "mkfifo etc/passwd"],
    ["directory", "mkdir etc/passwd"],
    ["link out of the image", "ln -s ../../../../../../../../etc/hostname etc/passwd"],
    ["link to a device", "ln -s /dev/zero etc/passwd"],
    ["link to the log of the kernel", "ln -s /proc/kmsg etc/passwd"],
    ["link to itself", "ln -s passwd etc/passwd"],
  ])("a user is not looked for in a %s, and a number needs no looking", async (what, make) => {
    const name = await appendHostile(native, { tag: what.replaceAll(" ", "-"), make });
    const named = await native.run(["image", "run", "--user", "daemon", name, "id", "-u"]);
    expect([named.exitCode, named.stdout]).toEqual([1, ""]);
    expect(named.stderr).toContain("The image's /etc/passwd has no daemon");
    const numbered = await native.run(["image", "run", "--user", "7:8", name, "id", "-u"]);
    expect([numbered.exitCode, numbered.stdout]).toEqual([0, "7\n"]);
  });

  test("a user database of 64 MiB is not read", async () => {
    const name = await appendHostile(native, {
      tag: "huge",
      make: "yes ada:x:1:1::/:/bin/sh | head -c 64M >etc/passwd",
    });
    const { exitCode, stderr } = await native.run(["image", "run", "--user", "ada", name, "id", "-u"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("image's /etc/passwd, which is over 4 MiB")]);
  });
});

describeNative(
  (native) => {
    test("a device among root's image's files cannot be opened, the usual ones can", async () => {
      const folder = native.directory("devices");
      expect(Bun.spawnSync(["mknod", "clone", "c", "1", "5"], { cwd: folder }).exitCode).toBe(0);
      expect(Bun.spawnSync(["tar", "-cf", "layer.tar", "clone"], { cwd: folder }).exitCode).toBe(0);
      const to = ["--output", "store:native-run/device:1"];
      await native.run(["image", "append", `store:${BASE_IMAGE}`, join(folder, "layer.tar"), ...to]);
      const script = "test -c /clone && ! head -c 1 /clone && head -c 1 /dev/zero | wc -c";
      const { exitCode, stdout, stderr } = await native.run([
        "image",
        "run",
        "native-run/device:1",
        "sh",
        "-c",
        script,
      ]);
      expect([exitCode, stdout]).toEqual([0, "1\n"]);
      expect(stderr).toContain("Permission denied");
    });
  },
  ["root"],
);

/** An image of the base with settings of its own, in the store. */
async function makeImage(
  native: NativeEngine,
  { name, args }: { name: string; args: readonly string[] },
): Promise<void> {
  const folder = native.workspace({ "srv/readme": "hello\n" });
  const place = ["--base", `store:${BASE_IMAGE}`, "--output", `store:${name}`];
  const { exitCode, stdout } = await native.run(["image", "assemble", folder, ...place, ...args]);
  if (exitCode !== 0) throw new Error(stdout);
}

/** The base with a folder /etc that a shell command changed on it, in the store. */
async function appendHostile(native: NativeEngine, { tag, make }: { tag: string; make: string }): Promise<string> {
  const folder = native.directory("hostile");
  const script = `mkdir etc && ${make}; tar --owner 0 --group 0 -cf layer.tar etc`;
  if (Bun.spawnSync(["sh", "-c", script], { cwd: folder }).exitCode !== 0) throw new Error(script);
  native.give(folder);
  const name = `native-run/hostile:${tag}`;
  const words = ["image", "append", `store:${BASE_IMAGE}`, join(folder, "layer.tar"), "--output", `store:${name}`];
  const { exitCode, stdout } = await native.run(words);
  if (exitCode !== 0) throw new Error(stdout);
  return name;
}
