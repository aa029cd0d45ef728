import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { askEngine, describeBuilders } from "./builders.ts";
import { BASE_IMAGE, cooperCommand, runCooper } from "./engines.ts";
import { fakeApt, openProfileScene } from "./profile-scene.ts";

const resultSchema = v.looseObject({
  outcome: v.string(),
  passed: v.boolean(),
  result_path: v.string(),
  run_id: v.string(),
  gates: v.array(
    v.looseObject({
      gate: v.string(),
      repeat: v.number(),
      status: v.string(),
      duration_ms: v.number(),
      exit_code: v.nullable(v.number()),
      log: v.string(),
      log_truncated: v.boolean(),
    }),
  ),
});

/** The command lines of this machine's processes that contain a text, those in containers included. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      const words = /^\d+$/.test(entry) ? readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ") : "";
      return words.includes(text) ? [words] : [];
    } catch {
      return [];
    }
  });
}

describeBuilders(
  (builder) => {
    const scene = openProfileScene();
    const { engine } = builder;

    test("gates run in the image on the repository as it is now, and end when their time is up", async () => {
      const gates = {
        test: { cmd: "cat a.txt /installed; touch made" },
        lint: { cmd: "seq 1000; exit 3" },
        typecheck: { cmd: "echo begun; sleep 100", timeout_sec: 2 },
      };
      const repository = scene.repository({ "a.txt": "one\n" }, { install_cmds: ["cp a.txt /installed"], gates });
      const args = ["--base-image", await scene.baseImage(engine, "gates", fakeApt())];
      expect((await scene.run(builder, repository, { args })).exitCode).toBe(0);
      const place = ["--repo-dir", repository.folder, "--profile", repository.profilePath];

      const one = await runCooper(["profile", "run", ...place, "--gates", "test"], { engine });
      const passed = v.parse(resultSchema, JSON.parse(one.stdout));
      expect([one.exitCode, passed.outcome, passed.gates[0]?.log]).toEqual([0, "success", "one\none\n"]);
      expect(existsSync(join(repository.folder, "made"))).toBe(true);

      const all = await runCooper(["profile", "run", ...place], { engine });
      expect(all.exitCode).toBe(1);
      const result = v.parse(resultSchema, JSON.parse(all.stdout));
      expect(result.gates.map(({ gate, status, exit_code }) => [gate, status, exit_code])).toEqual([
        ["test", "passed", 0],
        ["lint", "failed", 3],
        ["typecheck", "timed_out", null],
      ]);
      expect(
        v.parse(resultSchema, { outcome: "", result_path: "", ...JSON.parse(readFileSync(result.result_path, "utf8")) })
          .gates,
      ).toEqual(result.gates);
      expect(readdirSync(join(repository.folder, ".pf_manifest", "gates"))).toHaveLength(2);
      const left = await askEngine(engine, ["ps", "--all", "--filter", `name=${result.run_id}`, "--quiet"]);
      expect(left.stdout).toBe("");
    });

    test("a gate whose time is up ends with all that it started, and even where its container is not there yet", async () => {
      const nap = `sleep 1000.${Number.parseInt(scene.id.slice(0, 8), 16)}`;
      const stubborn = `setsid ${nap} & trap '' TERM INT HUP; echo begun; ${nap}; ${nap}`;
      const gates = { test: { cmd: stubborn, timeout_sec: 3 }, lint: { cmd: stubborn, timeout_sec: 0.001 } };
      const repository = scene.repository({}, { install_cmds: [], gates });
      const request = join(scene.directory("request"), "request.json");
      const asked = { repo_dir: join(repository.profilePath, ".."), profile_path: repository.profilePath };
      writeFileSync(request, JSON.stringify({ ...asked, image_tag: BASE_IMAGE, repeats: 2 }));
      const run = await runCooper(["profile", "run", "--request", request], { engine });
      const { gates: results, run_id } = v.parse(resultSchema, JSON.parse(run.stdout));
      expect(results.map(({ gate, repeat, status, exit_code }) => [gate, repeat, status, exit_code])).toEqual([
        ["test", 1, "timed_out", null],
        ["lint", 1, "timed_out", null],
        ["test", 2, "timed_out", null],
        ["lint", 2, "timed_out", null],
      ]);
      expect(results[0]?.log).toBe("begun\n");
      for (const { duration_ms } of results) expect(duration_ms).toBeLessThan(30_000);
      expect(processesWith(nap)).toEqual([]);
      const left = await askEngine(engine, ["ps", "--all", "--filter", `name=${run_id}`, "--quiet"]);
      expect(left.stdout).toBe("");
    });

    test("a log is bounded to its end, and exit codes that an engine's client has too are the gate's own", async () => {
      const gates = {
        test: { cmd: "seq 100000; exit 125" },
        lint: { cmd: "printf 'Error: a\\303\\251%s' end; exit 126" },
        typecheck: { cmd: "no-such-program", timeout_sec: 10_000_000 },
      };
      const repository = scene.repository({}, { install_cmds: [], gates });
      const request = join(scene.directory("request"), "request.json");
      const asked = { repo_dir: join(repository.profilePath, ".."), profile_path: repository.profilePath };
      writeFileSync(request, JSON.stringify({ ...asked, image_tag: BASE_IMAGE, max_log_bytes: 4 }));
      const run = await runCooper(["profile", "run", "--request", request], { engine });
      const { gates: results } = v.parse(resultSchema, JSON.parse(run.stdout));
      expect(results.map(({ exit_code, log_truncated }) => [exit_code, log_truncated])).toEqual([
        [125, true],
        [126, true],
        [127, true],
      ]);
      expect(results.map(({ log }) => log).slice(0, 2)).toEqual(["000\n", "end"]);
    });

    test("what a gate prints does not make it the engine's refusal, which is told apart from a gate's end", async () => {
      const words = ["docker: Error response from daemon: no", "Error: crun: no", "unknown flag: --no"];
      const gates = {
        test: { cmd: `echo '${words[0]}'; exit 125` },
        lint: { cmd: `echo '${words[1]}' >&2; exit 126` },
        typecheck: { cmd: `echo '${words[2]}'; exit 127` },
      };
      const repository = scene.repository({ a: "" }, { install_cmds: [], gates });
      const place = ["--repo-dir", repository.folder, "--profile", repository.profilePath];
      const run = await runCooper(["profile", "run", ...place, "--image", BASE_IMAGE], { engine });
      const { gates: results } = v.parse(resultSchema, JSON.parse(run.stdout));
      expect(results.map(({ status, exit_code, log }) => [status, exit_code, log])).toEqual([
        ["failed", 125, `${words[0]}\n`],
        ["failed", 126, `${words[1]}\n`],
        ["failed", 127, `${words[2]}\n`],
      ]);

      const noShell = await scene.baseImage(engine, "no-shell", "RUN rm /bin/sh");
      const refused = await runCooper(["profile", "run", ...place, "--image", noShell], { engine });
      expect([refused.exitCode, JSON.parse(refused.stdout)]).toEqual([
        1,
        expect.objectContaining({
          outcome: "error",
          message: expect.stringMatching(/^Gate test did not start: .*sh/s),
        }),
      ]);
      const left = await askEngine(engine, ["ps", "--all", "--filter", `volume=${repository.folder}`, "--quiet"]);
      expect(left.stdout).toBe("");
    });

    test("a run that is killed takes the gate's container with it", async () => {
      const nap = `sleep 3000.${Number.parseInt(scene.id.slice(0, 8), 16)}`;
      const gates = { test: { cmd: `trap '' TERM; setsid ${nap} & ${nap}; ${nap}` } };
      const repository = scene.repository({ a: "" }, { install_cmds: [], gates });
      const place = ["--repo-dir", repository.folder, "--profile", repository.profilePath];
      const words = ["profile", "run", ...place, "--image", BASE_IMAGE];
      const { command, cwd, env } = cooperCommand(words, { engine, home: scene.directory("home") });
      const child = Bun.spawn(command, {
        cwd,
        env,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
        detached: true,
      });
      while (child.exitCode === null && processesWith(nap).length < 3) await Bun.sleep(50);
      process.kill(-child.pid, "SIGKILL");
      await child.exited;
      const left = async () =>
        (await askEngine(engine, ["ps", "--all", "--filter", `volume=${repository.folder}`, "-q"])).stdout;
      for (let tries = 0; tries < 100 && (processesWith(nap).length > 0 || (await left()) !== ""); tries += 1) {
        await Bun.sleep(200);
      }
      expect([processesWith(nap), await left()]).toEqual([[], ""]);
    });

    test("a gate that is interrupted ends with its container", async () => {
      const nap = `sleep 2000.${Number.parseInt(scene.id.slice(0, 8), 16)}`;
      const repository = scene.repository(
        {},
        { install_cmds: [], gates: { test: { cmd: `trap '' TERM; ${nap}; ${nap}` } } },
      );
      const place = ["--repo-dir", join(repository.profilePath, ".."), "--profile", repository.profilePath];
      const home = scene.directory("home");
      const words = ["profile", "run", ...place, "--image", BASE_IMAGE];
      const { command, cwd, env } = cooperCommand(words, { engine, home });
      const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "ignore", detached: true });
      while (child.exitCode === null && processesWith(nap).length < 2) await Bun.sleep(50);
      process.kill(-child.pid, "SIGINT");
      const stdout = await child.stdout.text();
      expect([await child.exited, stdout]).toEqual([130, expect.stringContaining("Interrupted by SIGINT.")]);
      expect(processesWith(nap)).toEqual([]);
    });

    test("a gate that the profile does not have and an image that is not there are told of", async () => {
      const repository = scene.repository({}, { install_cmds: [], gates: { test: { cmd: "true" }, lint: null } });
      const place = ["--repo-dir", join(repository.profilePath, ".."), "--profile", repository.profilePath];
      const noGate = await runCooper(["profile", "run", ...place, "--gates", "lint"], { engine });
      expect(noGate.stdout).toContain("The profile has no gate lint.");
      const unknown = await runCooper(["profile", "run", ...place, "--gates", "test,lnt"], { engine });
      expect(unknown.stdout).toContain("wanted test, lint, typecheck; did you mean lint?");
      const noImage = await runCooper(["profile", "run", ...place], { engine });
      expect(noImage.stdout).toContain("The engine has no image patchfoundry/");
      expect(noImage.stderr).toContain("cooper profile build");
    });
  },
  ["BuildKit", "podman"],
);
