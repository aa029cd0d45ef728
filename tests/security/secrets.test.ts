import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runEngine } from "../engines/builders.ts";
import { BASE_IMAGE, cooperCommand, describeEngine, type TestEngine } from "../engines/engines.ts";
import { openUpScene } from "../engines/up-scene.ts";
import { localFeature } from "../engines/workspace.ts";

/** The command lines of all of this machine's processes, those in containers included. */
function commandLines(): readonly string[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      return [readFileSync(`/proc/${entry}/cmdline`, "utf8")];
    } catch {
      return [];
    }
  });
}

/** The texts of all files below a folder. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name), "latin1")] : [],
  );
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openUpScene(engine);
    const canary = `canary-${scene.id}-in-the-mine`;
    const second = `${canary}-longer`;
    const secrets = { CANARY: canary, SECOND: second, LINES: `first\n${canary}`, EMPTY: "", FLAG: "$(id) \"' `x`" };
    // Names that would change what the engine's client does.
    const steering = {
      DOCKER_HOST: `tcp://${canary}`,
      CONTAINER_HOST: `tcp://${canary}`,
      LD_LIBRARY_PATH: `/${canary}`,
    };
    // What hooks see, and what they print of it.
    const config = {
      image: BASE_IMAGE,
      features: { "./tool": {} },
      remoteEnv: { ORDINARY: "value" },
      onCreateCommand: 'echo "told $CANARY and $SECOND"; printf %s "$FLAG" >/tmp/flag; env >/tmp/seen',
      postCreateCommand: { one: "until [ -e /tmp/go ]; do sleep 0.1; done", two: ["sh", "-c", "echo $SECOND >&2"] },
      postStartCommand: 'echo "again $CANARY"',
    };
    const files = localFeature("tool", "env >/tmp/build", { onCreateCommand: 'echo "a Feature is told $CANARY"' });

    async function upWithSecrets(folder: string, args: readonly string[]) {
      const path = join(scene.directory("secrets"), "secrets.json");
      writeFileSync(path, JSON.stringify({ ...secrets, ...steering }));
      const words = ["up", "--workspace-folder", folder, "--secrets-file", path, ...args];
      const { command, cwd, env } = cooperCommand(words, { engine, home: scene.home });
      const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      const output = Promise.all([child.stdout.text(), child.stderr.text()]);
      const lines = await sampleUntilHookRuns(engine, folder, child);
      const [stdout, stderr] = await output;
      return { exitCode: await child.exited, stdout, stderr, lines };
    }

    /** Samples command lines until the hook that waits has begun, and lets it go on. */
    async function sampleUntilHookRuns(of: TestEngine, folder: string, child: { readonly exitCode: number | null }) {
      const lines: string[] = [];
      for (let tries = 0; tries < 2000 && child.exitCode === null; tries += 1) {
        const now = commandLines();
        lines.push(...now);
        if (now.some((line) => line.includes("until [ -e /tmp/go ]"))) {
          const [details] = await scene.containers(folder);
          if (details?.status === "running") {
            lines.push(...commandLines());
            await runEngine(of, ["exec", details.id, "touch", "/tmp/go"]);
            break;
          }
        }
        await Bun.sleep(20);
      }
      return lines;
    }

    for (const args of [
      [],
      ["--log-level", "trace"],
      ["--log-format", "json"],
      ["--log-format", "json", "--log-level", "trace"],
    ]) {
      test(`a secret reaches hooks and nothing else, with ${args.join(" ") || "no further options"}`, async () => {
        const folder = scene.project(config, files);
        const { exitCode, stdout, stderr, lines } = await upWithSecrets(folder, args);
        expect({ exitCode, stdout: stdout.slice(0, 20) }).toEqual({ exitCode: 0, stdout: '{"outcome":"success"' });
        const [details] = await scene.containers(folder);
        const id = details?.id ?? "";
        const seen = await scene.inContainer(id, "cat /tmp/seen; cat /tmp/flag");
        expect(seen).toContain(`CANARY=${canary}\n`);
        expect(seen).toContain(`LINES=first\n${canary}\n`);
        expect(seen).toContain(secrets.FLAG);
        for (const [variable, value] of Object.entries(steering)) expect(seen).toContain(`${variable}=${value}\n`);
        expect(stderr).toContain("told ******** and ********");
        expect(stderr).toContain("again ********");
        expect(lines.some((line) => line.includes("until [ -e /tmp/go ]"))).toBe(true);
        const image = details?.image.name ?? "";
        const places = {
          stdout,
          stderr,
          "command lines": lines.join("\n"),
          container: await runEngine(engine, ["inspect", id]),
          image: await runEngine(engine, ["image", "inspect", image]),
          history: await runEngine(engine, ["history", "--no-trunc", image]),
          logs: await runEngine(engine, ["logs", id]),
          environment: await scene.inContainer(
            id,
            "cat /etc/environment /tmp/build /proc/1/environ 2>/dev/null || true",
          ),
          "cache, configuration and state": filesBelow(scene.home).join("\n"),
        };
        for (const [place, text] of Object.entries(places))
          expect({ place, found: text.includes(canary) }).toEqual({ place, found: false });
      });
    }

    test("a hook that fails tells its output without the secret", async () => {
      const failing = { image: BASE_IMAGE, onCreateCommand: 'echo "key: $CANARY"; exit 4' };
      const { exitCode, stdout, stderr } = await upWithSecrets(scene.project(failing), []);
      expect(exitCode).toBe(1);
      expect(stdout).toContain("key: ********");
      expect(`${stdout}${stderr}`).not.toContain(canary);
    });

    test("a secrets file that is no JSON object is an error that quotes nothing of it", async () => {
      for (const text of [`{"CANARY": "${canary}"`, `["${canary}"]`, `{"CANARY": {"value": "${canary}"}}`]) {
        const path = join(scene.directory("secrets"), "secrets.json");
        writeFileSync(path, text);
        const folder = scene.project({ image: BASE_IMAGE });
        const { outcome, stdout, stderr } = await scene.cooper("up", folder, { args: ["--secrets-file", path] });
        expect(outcome).toMatchObject({ outcome: "error", description: "Failed to read/parse secrets" });
        expect(`${stdout}${stderr}`).not.toContain(canary);
        expect(await scene.containers(folder)).toEqual([]);
      }
    });

    test("run-user-commands hands secrets to hooks too", async () => {
      const folder = scene.project({
        image: BASE_IMAGE,
        postAttachCommand: 'echo "told $CANARY"; echo $CANARY >/tmp/seen',
      });
      const id = await scene.up(folder, { args: ["--skip-post-create"] });
      const path = join(scene.directory("secrets"), "secrets.json");
      writeFileSync(path, JSON.stringify(secrets));
      const { stdout, stderr } = await scene.cooper("run-user-commands", folder, { args: ["--secrets-file", path] });
      expect(await scene.inContainer(id, "cat /tmp/seen")).toBe(`${canary}\n`);
      expect(stderr).toContain("told ********");
      expect(`${stdout}${stderr}`).not.toContain(canary);
    });
  });
}
