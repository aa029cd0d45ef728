import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BASE_IMAGE } from "./engines.ts";
import { describeNative, type NativeEngine } from "./native.ts";
import { processesWith, until } from "./processes.ts";
import { failureSchema, responseSchema } from "./profile-scene.ts";
import type { Files } from "./workspace.ts";

const BASE = "localhost/profile-base:1";

const gatesSchema = v.looseObject({
  outcome: v.string(),
  gates: v.array(
    v.looseObject({
      gate: v.string(),
      status: v.string(),
      exit_code: v.nullable(v.number()),
      log: v.string(),
      log_truncated: v.boolean(),
    }),
  ),
});

/** A repository with a profile and a folder for its archive. */
interface Profiled {
  readonly folder: string;
  readonly profile: string;
  readonly cache: string;
}

function profileWords({ folder, profile, cache }: Profiled, native: NativeEngine, request: object = {}): string[] {
  const path = join(native.directory("request"), "request.json");
  writeFileSync(path, JSON.stringify({ repo_dir: folder, profile_path: profile, image_cache_dir: cache, ...request }));
  native.give(path);
  return ["profile", "build", "--request", path, "--backend", "native"];
}

function readText(...path: readonly string[]): string {
  const file = join(...path);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

const artifact = ({ folder }: Profiled, name: string) => readText(folder, ".pf_manifest", "image_build", name);

/** What is in a folder, and below it, that is not whole. */
function unfinished(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(".partial"));
}

describeNative((native) => {
  let count = 0;
  const repository = (files: Files, profile: object): Profiled => {
    count += 1;
    const folder = native.workspace(files);
    const place = native.workspace({ "p.json": { json: { ...profile, reason: `${native.id} ${count}` } } });
    return { folder, profile: join(place, "p.json"), cache: native.directory("cache") };
  };
  /** A base whose `apt-get` only says what it was asked for, after these lines of shell. */
  const makeBase = async (lines = "") => {
    const text = `#!/bin/sh\n${lines}\necho "asked: $*"\n`;
    const layer = native.workspace({ "usr/local/bin/apt-get": { text, mode: 0o755 } });
    const made = await native.run(["image", "append", `store:${BASE_IMAGE}`, layer, "--output", `store:${BASE}`]);
    expect([made.exitCode, made.stderr]).toEqual([0, expect.any(String)]);
  };
  const build = async (
    profiled: Profiled,
    { request = {}, args = [], base = BASE }: { request?: object; args?: string[]; base?: string } = {},
  ) => {
    const result = await native.run([...profileWords(profiled, native, request), "--base-image", base, ...args]);
    const document: unknown = JSON.parse(result.stdout);
    return {
      ...result,
      response: result.exitCode === 0 ? v.parse(responseSchema, document) : undefined,
      failure: result.exitCode === 0 ? undefined : v.parse(failureSchema, document),
      log: artifact(profiled, "build.log"),
      manifest: JSON.parse(artifact(profiled, "manifest.json") || "{}"),
    };
  };
  const inImage = async (tag: string, script: string) =>
    (await native.run(["image", "run", tag, "/bin/sh", "-c", script])).stdout;
  const gates = async ({ folder, profile }: Profiled, ...args: readonly string[]) => {
    const place = ["--repo-dir", folder, "--profile", profile, "--backend", "native"];
    const run = await native.run(["profile", "run", ...place, ...args]);
    return { ...run, result: v.parse(gatesSchema, JSON.parse(run.stdout)) };
  };

  test("a profile is built, reused, built again when a file changes, and its values are what they are elsewhere", async () => {
    await makeBase();
    const env = { A: 'q"b\\d$HOME`x`', B: "one\ntwo", C: "" };
    const install_cmds = ["cp a.txt /installed", 'printf %s "$A$B" >/seen', "cat <<END >/here\n$A\nEND"];
    const files = { "a.txt": "one\n", ".dockerignore": "!.git\n/skipped\n", skipped: "", ".git/HEAD": "ref\n" };
    const profiled = repository(files, { install_cmds, env, packages: ["jq"] });
    const first = await build(profiled);
    expect([first.response?.reused_cache, first.failure]).toEqual([false, undefined]);
    expect(first.log).toContain("asked: install -y git build-essential curl jq");
    expect(first.manifest).toMatchObject({ build_variant: "standard", reused_cache: false, base_image_tag: BASE });
    const tag = first.response?.image_tag ?? "";
    expect(tag).toBe(`patchfoundry/${first.response?.profile_id}:latest`);
    expect(await inImage(tag, "ls -A /workspace | sort; cat /installed /seen /here")).toBe(
      `.dockerignore\na.txt\none\n${env.A}${env.B}${env.A}\n`,
    );

    const again = await build(profiled);
    expect([again.response?.reused_cache, again.log]).toEqual([true, `Reused existing image ${tag}.\n`]);
    writeFileSync(join(profiled.folder, "a.txt"), "two\n");
    expect((await build(profiled, { args: ["--trust-tag"] })).response?.reused_cache).toBe(true);
    expect((await build(profiled)).response?.reused_cache).toBe(false);
    expect(await inImage(tag, "cat /installed")).toBe("two\n");
  });

  test("a cached archive is loaded when it is whole, not looked at under force, and replaced when it is damaged", async () => {
    await makeBase();
    const profiled = repository({ "a.txt": "one\n" }, { install_cmds: ["cp a.txt /installed"] });
    const { response } = await build(profiled);
    const tag = response?.image_tag ?? "";
    const archive = `${response?.profile_id}.tar`;
    expect(readdirSync(profiled.cache)).toEqual([archive]);
    const forget = async () => expect((await native.run(["image", "rm", "--store", tag])).exitCode).toBe(0);
    await forget();
    const loaded = await build(profiled);
    expect([loaded.response?.reused_cache, loaded.log]).toEqual([true, `Loaded cached image ${tag}.\n`]);
    expect(await inImage(tag, "cat /installed")).toBe("one\n");

    const forced = await build(profiled, { request: { force_rebuild: true } });
    expect([forced.response?.reused_cache, forced.log.includes("CACHED")]).toEqual([false, false]);
    await forget();
    truncateSync(join(profiled.cache, archive), 1_000_000);
    const rebuilt = await build(profiled);
    expect(rebuilt.response?.reused_cache).toBe(false);
    expect(rebuilt.log).toContain("The cached image cannot be used and is built again");
    expect(rebuilt.stderr).toContain("is damaged");
    expect(readdirSync(profiled.cache)).toEqual([archive]);
  });

  test("a failed install command is told by its place, exit code and last lines, and packages come from the archive", async () => {
    await makeBase();
    const failing = repository({ a: "" }, { install_cmds: ["true", " ", "echo to no avail >&2; exit 7"] });
    const failed = await build(failing);
    expect(failed.failure?.message).toBe(
      "install_cmds[2] failed with exit code 7: echo to no avail >&2; exit 7\n  to no avail",
    );
    expect(failed.failure?.build_log_path).toBe(join(failing.folder, ".pf_manifest/image_build/build.log"));
    expect(failed.log).toEndWith(
      "install_cmds[2] failed with exit code 7: echo to no avail >&2; exit 7\n  to no avail\n",
    );
    expect([readdirSync(failing.cache), unfinished(failing.folder)]).toEqual([[], []]);

    await makeBase(
      'grep -rqs archive.debian.org /etc/apt/sources.list /etc/apt/sources.list.d || { echo "E: The repository does not have a Release file."; exit 100; }',
    );
    const dropped = repository({ a: "" }, { install_cmds: [] });
    const run = await build(dropped);
    expect(run.manifest).toMatchObject({ build_variant: "archive", apt_security_mode: "archive" });
    expect(run.log).toMatch(/==> standard: [\s\S]*==> standard failed: [\s\S]*==> archive: /);
    expect((await build(dropped)).response?.reused_cache).toBe(true);
  });

  test("gates run on the repository as it is now, end with their time, and their logs are bounded", async () => {
    await makeBase();
    const profiled = repository(
      { "a.txt": "one\n" },
      {
        install_cmds: ["cp a.txt /installed"],
        gates: {
          test: { cmd: "cat a.txt /installed; touch made" },
          lint: { cmd: "seq 100000; echo 'Error: no'; exit 125" },
          typecheck: { cmd: "echo begun; setsid sleep 100 & sleep 100", timeout_sec: 2 },
        },
      },
    );
    expect((await build(profiled)).failure).toBeUndefined();
    writeFileSync(join(profiled.folder, "a.txt"), "two\n");
    const one = await gates(profiled, "--gates", "test");
    expect([one.exitCode, one.result.outcome, one.result.gates[0]?.log]).toEqual([0, "success", "two\none\n"]);
    expect(existsSync(join(profiled.folder, "made"))).toBe(true);
    const all = await gates(profiled);
    expect(all.exitCode).toBe(1);
    expect(all.result.gates.map(({ gate, status, exit_code }) => [gate, status, exit_code])).toEqual([
      ["test", "passed", 0],
      ["lint", "failed", 125],
      ["typecheck", "timed_out", null],
    ]);
    expect(all.result.gates[1]).toMatchObject({
      log: expect.stringMatching(/100000\nError: no\n$/),
      log_truncated: true,
    });
    expect(all.result.gates[2]?.log).toBe("begun\n");
  });

  test("an image keeps the user of its base, as whom its gates run", async () => {
    await makeBase();
    const layer = native.workspace({ "etc/made-for": "a user" });
    const base = "localhost/profile-base:user";
    const words = ["image", "append", `store:${BASE}`, layer, "--user", "games", "--output", `store:${base}`];
    expect((await native.run(words)).exitCode).toBe(0);
    const profiled = repository({ a: "" }, { install_cmds: ["true"], gates: { test: { cmd: "id -un; echo $HOME" } } });
    const built = await build(profiled, { base });
    expect(built.failure).toBeUndefined();
    const { stdout } = await native.run(["image", "inspect", `store:${built.response?.image_tag}`]);
    expect(JSON.parse(stdout)).toMatchObject({ config: { User: "games" } });
    const { result } = await gates(profiled);
    expect(result.gates[0]?.log).toBe("games\n/usr/games\n");
  });

  test.skipIf(native.name !== "root")(
    "a full disk is told by what could not be written there, and nothing half-written is left (root, who may mount)",
    async () => {
      await makeBase();
      const profiled = repository({ a: "" }, { install_cmds: [`seq 100000; echo ${native.id}`] });
      const onSmallDisk = async (folder: string, size: string, work: () => Promise<void>) => {
        const { exitCode, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
        if (exitCode !== 0) throw new Error(stderr.toString());
        await work().finally(() => Bun.spawnSync(["umount", folder]));
      };
      await onSmallDisk(profiled.cache, "20m", async () => {
        const { failure } = await build(profiled);
        expect(failure?.message).toMatch(/^Could not save the image to .*: the disk is full\.$/);
        expect(readdirSync(profiled.cache)).toEqual([]);
      });
      await onSmallDisk(profiled.folder, "96k", async () => {
        const { failure } = await build(profiled, { request: { force_rebuild: true } });
        expect(failure?.message).toBe(
          `Could not write ${profiled.folder}/.pf_manifest/image_build/build.log: the disk is full.`,
        );
        expect(unfinished(profiled.folder)).toEqual([]);
      });
      const data = native.directory("data");
      await onSmallDisk(data, "200m", async () => {
        const env = { XDG_DATA_HOME: data };
        await native.run(["image", "copy", `oci:${native.store}:${BASE}`, `store:${BASE}`], { env });
        const words = [...profileWords(profiled, native), "--base-image", BASE];
        const { stdout } = await native.run(words, { env });
        expect(v.parse(failureSchema, JSON.parse(stdout)).message).toMatch(
          new RegExp(`^Could not write ${data}/cooper/store/.*: the disk is full\\.$`),
        );
      });
    },
  );

  test("a gate that the profile does not have and an image that is not there are told of", async () => {
    const profiled = repository({ a: "" }, { install_cmds: [], gates: { test: { cmd: "true" } } });
    const place = ["--repo-dir", profiled.folder, "--profile", profiled.profile, "--backend", "native"];
    expect((await native.run(["profile", "run", ...place, "--gates", "lint"])).stdout).toContain("has no gate lint");
    expect((await native.run(["profile", "run", ...place])).stdout).toContain("has no image patchfoundry/");
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGKILL", 137],
  ] as const)("a build and a gate that %s ends leave no process and nothing half-written", async (signal, code) => {
    await makeBase();
    const nap = `sleep 1000.${Number.parseInt(native.id.slice(0, 8), 16)}`;
    const line = `trap '' TERM; setsid ${nap} & ${nap}; ${nap}`;
    const profiled = repository({ a: "" }, { install_cmds: [line], gates: { test: { cmd: line } } });
    const interrupt = async (words: readonly string[]) => {
      const { command, ...rest } = native.command(words);
      const child = Bun.spawn(command, { ...rest, stdin: "ignore", stdout: "pipe", stderr: "ignore", detached: true });
      await until(
        () => processesWith(nap).length > 2 || child.exitCode !== null,
        () => "the command is begun",
      );
      process.kill(-child.pid, signal);
      const stdout = await child.stdout.text();
      await child.exited;
      await until(
        () => processesWith(nap).length === 0,
        () => JSON.stringify(processesWith(nap)),
      );
      return { exitCode: child.exitCode ?? (child.signalCode === "SIGKILL" ? 137 : 0), stdout };
    };
    const built = await interrupt([...profileWords(profiled, native), "--base-image", BASE]);
    expect([built.exitCode, built.stdout.includes("Interrupted")]).toEqual([code, signal === "SIGTERM"]);
    expect(readdirSync(profiled.cache).filter((name) => !name.endsWith(".partial"))).toEqual([]);
    expect(artifact(profiled, "manifest.json")).toBe("");

    const place = ["--repo-dir", profiled.folder, "--profile", profiled.profile, "--backend", "native"];
    const run = await interrupt(["profile", "run", ...place, "--image", BASE]);
    expect(run.exitCode).toBe(code);

    const artifacts = join(profiled.folder, ".pf_manifest", "image_build");
    for (const folder of [artifacts, profiled.cache]) {
      for (const name of unfinished(folder)) utimesSync(join(folder, name), 0, 0);
    }
    writeFileSync(profiled.profile, readFileSync(profiled.profile, "utf8").replaceAll(nap, "true"));
    const next = await build({ ...profiled });
    expect(next.failure).toBeUndefined();
    expect(unfinished(profiled.folder)).toEqual([]);
  });
});
