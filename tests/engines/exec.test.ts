import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runEngine } from "./builders.ts";
import { type DevContainer, openDevContainers, processesIn, runIn, shellIn } from "./dev-containers.ts";
import { cooperCommand, describeEngine, type TestEngine } from "./engines.ts";
import { until } from "./processes.ts";

const USER = "/usr/sbin/useradd -m -s /bin/bash -u 4321 vscode";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine: TestEngine) => {
    const containers = openDevContainers();
    let made: Promise<DevContainer> | undefined;
    /** A container that tests only look at. */
    const shared = () => {
      made ??= containers.start(engine, {
        config: {
          remoteUser: "vscode",
          remoteEnv: { GREETING: "hello", OF_IMAGE: null, WITH: "${containerEnv:ORIGIN}!" },
        },
        runArgs: ["-e", "OF_IMAGE=x", "-e", "ORIGIN=there", "-e", "PATH=/opt/tool/bin:/usr/bin:/bin"],
        setUp: `${USER}
          echo 'export FROM_BASHRC=rc' | tee -a /home/vscode/.bashrc >>/root/.bashrc
          sed -i '1i export FROM_BASHRC=rc' /home/vscode/.bashrc
          echo 'export FROM_PROFILE="pro file"' >>/home/vscode/.profile`,
      });
      return made;
    };

    test("a mebibyte of random bytes comes back as it went", async () => {
      const bytes = new Uint8Array(randomBytes(1024 * 1024));
      const { exitCode, stdout } = await runIn(await shared(), ["exec", "cat"], { stdin: bytes });
      expect(stdout.equals(bytes)).toBe(true);
      expect(exitCode).toBe(0);
    });

    test("stdout and stderr stay apart, and nothing is added to either", async () => {
      const result = await runIn(await shared(), ["exec", "sh", "-c", "echo out; echo err >&2"]);
      expect(result).toEqual({ exitCode: 0, stdout: Buffer.from("out\n"), stderr: "err\n" });
    });

    test.each([
      ["exit 5", 5],
      ["exit 1", 1],
      ["exit 137", 137],
      ["kill -TERM $$", 143],
      ["kill -KILL $$", 137],
    ])("the exit code of %j is %d", async (line, code) => {
      const { exitCode, stderr } = await runIn(await shared(), ["exec", "sh", "-c", line]);
      expect(exitCode).toBe(code);
      expect(stderr).toBe("");
    });

    test("a command that is not there ends with 127", async () => {
      expect((await runIn(await shared(), ["exec", "nonesuch"])).exitCode).toBe(127);
    });

    test("everything from the first word on is the command's, dashes and --help too", async () => {
      const words = ["echo", "--help", "-v", "--workspace-folder", "x", "--"];
      const { stdout } = await runIn(await shared(), ["exec", "--log-level", "info", ...words]);
      expect(stdout.toString()).toBe("--help -v --workspace-folder x --\n");
    });

    test("it runs as the remote user, in the workspace folder, with the user's home", async () => {
      expect(await shellIn(await shared(), 'id -un; pwd; echo "$HOME"')).toBe("vscode\n/work\n/home/vscode\n");
    });

    test("what login and interactive shells set up is there, and the image's PATH stays", async () => {
      const output = await shellIn(await shared(), 'echo "$FROM_BASHRC, $FROM_PROFILE, $PATH"');
      expect(output).toStartWith("rc, pro file, ");
      expect(output).toContain("/opt/tool/bin:/usr/bin:/bin");
    });

    test.each([
      ["none", "-, -"],
      ["interactiveShell", "rc, -"],
      ["loginShell", "rc, pro file"],
    ])("--default-user-env-probe %s reads its own start-up files", async (kind, expected) => {
      // Debian's .profile reads .bashrc in login shells of bash.
      const line = 'echo "${FROM_BASHRC:--}, ${FROM_PROFILE:--}"';
      expect(await shellIn(await shared(), line, ["--default-user-env-probe", kind])).toBe(`${expected}\n`);
    });

    test("remoteEnv is stronger than --remote-env, sees the container's variables, and takes away with null", async () => {
      const flags = ["--remote-env", "GREETING=flag", "--remote-env", "OWN=a=b c"];
      const output = await shellIn(await shared(), 'echo "$GREETING|$OWN|$WITH|${OF_IMAGE-gone}"', flags);
      expect(output).toBe("hello|a=b c|there!|gone\n");
    });

    test("values that would mean something to the engine's client reach the command, not the client", async () => {
      const host = ["DOCKER_HOST=tcp://nowhere.invalid:1", "CONTAINER_HOST=tcp://nowhere.invalid:1", "LD_PRELOAD="];
      const flags = [...host, "HTTPS_PROXY=http://user:canary@proxy"].flatMap((pair) => ["--remote-env", pair]);
      const output = await shellIn(
        await shared(),
        'echo "$DOCKER_HOST $CONTAINER_HOST $HTTPS_PROXY ${LD_PRELOAD-unset}|${COOPER_ENV_0-}"',
        flags,
      );
      expect(output).toBe("tcp://nowhere.invalid:1 tcp://nowhere.invalid:1 http://user:canary@proxy |\n");
    });

    test("the second time nothing is asked but the command itself", async () => {
      const container = await shared();
      await shellIn(container, "true");
      const { stderr } = await runIn(container, ["exec", "--log-level", "trace", "true"]);
      expect(stderr).toBe("Run in container: true\n");
      const folder = join(container.home, "state", "cooper", "containers");
      expect(readdirSync(folder).filter((file) => file.endsWith(".json"))).toEqual([`${container.id}.json`]);
    });

    test("login shells keep the image's PATH, and /etc/environment has its variables, once", async () => {
      const container = await shared();
      const line =
        'bash -lc "echo \\$PATH"; grep -c ^ORIGIN= /etc/environment; grep ^ORIGIN= /etc/environment; ls -A /var/devcontainer';
      expect(await shellIn(container, line, ["--default-user-env-probe", "none"])).toBe(
        '/opt/tool/bin:/usr/bin:/bin\n1\nORIGIN="there"\n.patchEtcEnvironmentMarker\n.patchEtcProfileMarker\n',
      );
    });

    test("a container is found by id and by labels, without a project, and then the home is the folder", async () => {
      const container = await shared();
      const elsewhere = { ...container, folder: container.home };
      const line = "pwd; id -un";
      expect(await shellIn(elsewhere, line, ["--container-id", container.id])).toBe("/home/vscode\nvscode\n");
      expect(await shellIn(elsewhere, line, ["--container-id", container.id.slice(0, 12)])).toBe(
        "/home/vscode\nvscode\n",
      );
      const label = `devcontainer.local_folder=${container.folder}`;
      expect(await shellIn(elsewhere, line, ["--id-label", label])).toBe("/home/vscode\nvscode\n");
      expect(await shellIn(elsewhere, line, ["--workspace-folder", container.folder])).toBe("/work\nvscode\n");
    });

    test("a terminal here is a terminal there, of the same size, and its exit code counts", async () => {
      const container = await shared();
      const { command, env } = cooperCommand(
        ["exec", "sh", "-c", "test -t 0 && test -t 1 && stty size; exit 9"],
        container,
      );
      let output = "";
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      const child = Bun.spawn(command, {
        cwd: container.folder,
        env: { ...env, TERM: "xterm-256color" },
        terminal: { cols: 91, rows: 33, data: (_terminal, data) => (output += data.toString()), exit: () => resolve() },
      });
      expect(await child.exited).toBe(9);
      await closed;
      expect(output).toContain("33 91");
    });

    test("Ctrl-C in a terminal is the command's to act on", async () => {
      const container = await shared();
      const script = "trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.1; done";
      const { command, env } = cooperCommand(["exec", "bash", "-c", script], container);
      let output = "";
      const child = Bun.spawn(command, {
        cwd: container.folder,
        env,
        terminal: { data: (_terminal, data) => (output += data.toString()) },
      });
      await until(() => output.includes("ready"), "the command to be ready");
      child.terminal?.write("\u0003");
      expect(await child.exited).toBe(4);
      await until(() => output.includes("caught"), "the command's last word");
    });

    test.each([
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const)("%s without a terminal ends the command in the container too, with %d", async (signal, code) => {
      const container = await shared();
      const nap = `sleep 1${randomBytes(3).readUIntBE(0, 3)}`;
      const { command, env } = cooperCommand(["exec", "sh", "-c", `${nap} & setsid ${nap} & ${nap}`], container);
      const child = Bun.spawn(command, { cwd: container.folder, env, stdin: "ignore", detached: true });
      await until(async () => (await processesIn(container, nap)) >= 4, "the command to run");
      // As a terminal does it: to all of the process group.
      process.kill(-child.pid, signal);
      expect(await child.exited).toBe(code);
      expect(await processesIn(container, nap)).toBe(0);
    });

    test("with --log-format json the output comes as raw events, from a terminal of the wanted size", async () => {
      const flags = ["--log-format", "json", "--terminal-columns", "77", "--terminal-rows", "11"];
      const { stdout, stderr, exitCode } = await runIn(await shared(), [
        "exec",
        ...flags,
        "sh",
        "-c",
        "stty size; exit 3",
      ]);
      expect(stdout.toString()).toBe("");
      const events: unknown[] = stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const raw = events.filter(
        (event) => typeof event === "object" && event !== null && "type" in event && event.type === "raw",
      );
      expect(
        raw.map((event) => (typeof event === "object" && event !== null && "text" in event ? event.text : "")).join(""),
      ).toBe("11 77\r\n");
      expect(exitCode).toBe(3);
    });

    test("shell is the user's login shell in the workspace folder, and reads commands where there is no terminal", async () => {
      const line = 'shopt -q login_shell && echo login; echo "$0"; pwd; id -un; exit 6\n';
      const { stdout, exitCode } = await runIn(await shared(), ["shell"], { stdin: line });
      expect(stdout.toString()).toBe("login\n/bin/bash\n/work\nvscode\n");
      expect(exitCode).toBe(6);
    });

    test("a container that stopped since is said, not guessed about", async () => {
      const container = await containers.start(engine);
      await shellIn(container, "true");
      await runEngine(engine, ["kill", container.id]);
      const stopped = await runIn(container, ["exec", "true"]);
      expect(stopped.stderr).toMatch(
        /error: The dev container \S+ is not running: it is exited\.\nStart it again with cooper up\.\n/,
      );
      await runEngine(engine, ["rm", container.id]);
      const removed = await runIn(container, ["exec", "true"]);
      expect(removed.stderr).toContain("error: Dev container not found.");
      expect([stopped.exitCode, removed.exitCode]).toEqual([1, 1]);
    });

    test("a container that is removed while a command runs in it is said", async () => {
      const container = await containers.start(engine);
      const running = runIn(container, ["exec", "sleep", "1000"]);
      await until(async () => (await processesIn(container, "sleep 1000")) > 0, "the command to run");
      await runEngine(engine, ["kill", container.id]);
      const { exitCode, stderr } = await running;
      expect(exitCode).toBe(1);
      expect(stderr).toContain(
        `error: The dev container ${container.id.slice(0, 12)} was stopped while the command ran`,
      );
    });

    test("after a restart what the shell sets up is found out anew", async () => {
      const container = await containers.start(engine);
      expect(await shellIn(container, 'echo "${LATE-none}"')).toBe("none\n");
      await runEngine(engine, ["exec", container.id, "sh", "-c", "echo 'export LATE=now' >>/root/.profile"]);
      expect(await shellIn(container, 'echo "${LATE-none}"')).toBe("none\n");
      await runEngine(engine, ["restart", "-t", "0", container.id]);
      expect(await shellIn(container, 'echo "${LATE-none}"')).toBe("now\n");
    });

    test("start-up files that wait for ever are given up on, and nothing of them stays", async () => {
      const container = await containers.start(engine, { setUp: "echo 'sleep 4321' >>/root/.profile" });
      const { exitCode, stdout, stderr } = await runIn(container, ["exec", "echo", "done"]);
      expect(stdout.toString()).toBe("done\n");
      expect(exitCode).toBe(0);
      expect(stderr).toContain("warning: The shell's start-up files take long");
      expect(stderr).toContain("no answer within 10 s. Going on without it");
      expect(await processesIn(container, "sleep 4321")).toBe(0);
    });

    test("a user who does not exist is said before anything runs", async () => {
      const container = await containers.start(engine, { config: { remoteUser: "nobody-here" } });
      const { exitCode, stderr } = await runIn(container, ["exec", "true"]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('error: The remote user "nobody-here" does not exist in the container.');
    });

    test("a user without a passwd entry works in /", async () => {
      const container = await containers.start(engine, {
        config: { remoteUser: "1234:1234", workspaceFolder: undefined },
      });
      expect(await shellIn(container, "id -u; id -g; pwd", ["--container-id", container.id])).toContain(
        "1234\n1234\n/",
      );
    });

    test("where the system's files cannot be written, login shells still get the image's PATH", async () => {
      const container = await containers.start(engine, {
        runArgs: ["--read-only", "--tmpfs", "/work", "-e", "PATH=/opt/tool/bin:/usr/bin:/bin:/only/sbin"],
      });
      const path = (await shellIn(container, 'echo "$PATH"')).trim().split(":");
      expect(path).toContain("/usr/local/sbin");
      expect(path.indexOf("/opt/tool/bin")).toBeLessThan(path.indexOf("/usr/bin"));
      expect(path.at(-1)).toBe("/only/sbin");
    });

    test("the environment is kept where --container-session-data-folder says", async () => {
      const container = await containers.start(engine, { setUp: "echo 'export ONCE=$(date +%N)' >>/root/.profile" });
      const flags = ["--container-session-data-folder", "/tmp/session"];
      const first = await shellIn(container, 'echo "$ONCE"', flags);
      const kept = await shellIn(
        container,
        "stat -c %a /tmp/session/env-loginInteractiveShell.json; cat /tmp/session/*",
        flags,
      );
      expect(kept).toStartWith("600\n{");
      expect(kept).toContain(`"ONCE":"${first.trim()}"`);
      const elsewhere = { ...container, home: container.folder };
      expect(await shellIn(elsewhere, 'echo "$ONCE"', flags)).toBe(first);
    });

    test("nothing of what is handed over is in a command line of this machine", async () => {
      const remoteEnv = { CANARY: "${localEnv:SOURCE}", HTTPS_PROXY: "${localEnv:SOURCE}" };
      const container = await containers.start(engine, { config: { remoteEnv } });
      const canary = `canary-${randomBytes(8).toString("hex")}`;
      const nap = `sleep 1${randomBytes(3).readUIntBE(0, 3)}`;
      const line = `echo "$CANARY $HTTPS_PROXY"; ${nap} & read -r line; kill $!`;
      const { command, env } = cooperCommand(["exec", "sh", "-c", line], container);
      const options = {
        cwd: container.folder,
        env: { ...env, SOURCE: canary },
        stdin: "pipe",
        stdout: "pipe",
      } as const;
      const child = Bun.spawn(command, options);
      await until(async () => (await processesIn(container, nap)) > 0, "the command to run");
      const seen = commandLines().filter((words) => words.includes(canary));
      child.stdin.write("\n");
      child.stdin.end();
      expect(await child.stdout.text()).toBe(`${canary} ${canary}\n`);
      expect(seen).toEqual([]);
    });
  });
}

/** Command lines of this machine, those in containers included. */
function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        return [readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    });
}
