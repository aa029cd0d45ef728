import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describeBuilders, runEngine, type TestBuilder } from "./builders.ts";
import { availableEngines, type CooperResult, cooperCommand, runCooper, type TestEngine } from "./engines.ts";
import { fakeApt, openProfileScene, type ProfiledRepository } from "./profile-scene.ts";
import { hasImage, leftoverBuilds } from "./workspace.ts";

const failure = v.looseObject({ outcome: v.literal("error"), message: v.string() });
const isRoot = process.getuid?.() === 0;

/** The command lines of this machine's processes that contain a text, those in containers included. */
function processesWith(text: string): number[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(text)
        ? [Number(entry)]
        : [];
    } catch {
      return [];
    }
  });
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 6000; tries += 1) {
    if (holds()) return;
    await Bun.sleep(5);
  }
  throw new Error(`waited in vain: ${what}`);
}

function mount(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["mount", ...args]);
  if (exitCode !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr.toString()}`);
}

function unmount(folder: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["umount", folder]);
  if (exitCode !== 0) throw new Error(`umount ${folder}: ${stderr.toString()}`);
}

/** What is in a folder, and below it, that is not whole. */
function unfinished(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /\.partial|\.tmp-|\.docker/.test(path));
}

describeBuilders(
  (builder) => {
    const scene = openProfileScene();
    const { engine } = builder;
    const nap = `sleep 1000.${Number.parseInt(scene.id.slice(0, 8), 16)}`;
    afterAll(() => {
      for (const id of processesWith(nap)) process.kill(id, "SIGKILL");
    });
    const base = async (label: string, instructions = "") => [
      "--base-image",
      await scene.baseImage(engine, label, `${fakeApt()}\n${instructions}`),
    ];
    /** Mounts a small disk while the work lasts. */
    const withSmallDisk = async (size: string, work: (folder: string) => Promise<void>) => {
      const folder = scene.directory("small");
      mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
      await work(folder).finally(() => unmount(folder));
    };

    /** Starts a build, ends it with a signal (by default as Ctrl-C does) once `when` holds, and waits for its end. */
    async function interrupt(
      { folder, profilePath }: ProfiledRepository,
      how: { request: object; args: readonly string[]; when: () => boolean; signal?: "SIGINT" | "SIGTERM" | "SIGKILL" },
    ): Promise<CooperResult> {
      const home = scene.directory("home");
      const request = join(scene.directory("request"), "request.json");
      writeFileSync(request, JSON.stringify({ repo_dir: folder, profile_path: profilePath, ...how.request }));
      const words = ["profile", "build", "--request", request, ...builder.flags, ...how.args];
      const { command, cwd, env } = cooperCommand(words, { engine, home });
      const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
      const output = Promise.all([child.stdout.text(), child.stderr.text()]);
      await until(() => how.when() || child.exitCode !== null, "what is to be interrupted");
      expect(child.exitCode).toBeNull();
      process.kill(-child.pid, how.signal ?? "SIGINT");
      const [stdout, stderr] = await output;
      const exitCode = await child.exited;
      if (how.signal !== "SIGKILL") expect(leftoverBuilds(home)).toEqual([]);
      await until(() => processesWith(home).length === 0, "its processes end");
      return { exitCode, stdout, stderr };
    }

    test.each([
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const)(
      "a build that %s ends leaves no half-written file and no process, and the next one works",
      async (signal, code) => {
        const args = await base("slow", "RUN touch /nap");
        const install_cmds = [`[ ! -e /nap ] || ${nap}`, "cp a.txt /installed"];
        const repository = scene.repository({ "a.txt": "one\n" }, { install_cmds });
        const request = { image_cache_dir: scene.directory("cache") };
        const run = await interrupt(repository, { request, args, when: () => processesWith(nap).length > 0, signal });
        expect(run.exitCode).toBe(code);
        expect(v.parse(failure, JSON.parse(run.stdout)).message).toBe(`Interrupted by ${signal}.`);
        await until(() => processesWith(nap).length === 0, "the install command ends");
        expect(readdirSync(request.image_cache_dir)).toEqual([]);
        expect(unfinished(repository.folder)).toEqual([]);
        const log = readFileSync(join(repository.folder, ".pf_manifest/image_build/build.log"), "utf8");
        expect(log).toMatch(/==> standard: [\s\S]*\nInterrupted by SIG(?:INT|TERM)\.\n$/);
        expect(existsSync(join(repository.folder, ".pf_manifest/image_build/manifest.json"))).toBe(false);

        await base("slow", "RUN true");
        const next = await scene.run(builder, repository, { args, request });
        expect(next.response?.reused_cache).toBe(false);
        expect(readdirSync(request.image_cache_dir)).toEqual([`${next.response?.profile_id}.tar`]);
      },
    );

    test("a build that is killed takes its builder with it, and what it left half-written the next one sweeps", async () => {
      const args = await base("killed", "RUN touch /nap");
      const install_cmds = [`[ ! -e /nap ] || ${nap}`];
      const repository = scene.repository({ a: "" }, { install_cmds });
      const request = { image_cache_dir: scene.directory("cache") };
      const when = () => processesWith(nap).length > 0;
      const { stdout } = await interrupt(repository, { request, args, when, signal: "SIGKILL" });
      expect(stdout).toBe("");
      await until(() => processesWith(nap).length === 0, "the install command ends");
      const artifacts = join(repository.folder, ".pf_manifest", "image_build");
      expect(readdirSync(artifacts).filter((name) => !/^Dockerfile|^\.build\.log\..*\.partial$/.test(name))).toEqual(
        [],
      );
      expect(readdirSync(request.image_cache_dir).filter((name) => !name.endsWith(".partial"))).toEqual([]);
      for (const folder of [artifacts, request.image_cache_dir]) {
        for (const name of unfinished(folder)) utimesSync(join(folder, name), 0, 0);
      }

      await base("killed", "RUN true");
      const next = await scene.run(builder, repository, { args, request });
      expect(next.response?.reused_cache).toBe(false);
      expect(unfinished(repository.folder)).toEqual([]);
      expect(readdirSync(request.image_cache_dir)).toEqual([`${next.response?.profile_id}.tar`]);
    });

    test("an archive whose saving is interrupted is not there, and the image that was built is reused", async () => {
      const args = await base("big", "RUN head -c 400000000 /dev/urandom >/big");
      const repository = scene.repository({ a: "" }, { install_cmds: ["true"] });
      const cache = scene.directory("cache");
      const begun = () =>
        readdirSync(cache, { recursive: true }).some((path) => {
          const found = statSync(join(cache, String(path)), { throwIfNoEntry: false });
          return found?.isFile() === true && found.size > 1_000_000;
        });
      const run = await interrupt(repository, { request: { image_cache_dir: cache }, args, when: begun });
      expect(run.exitCode).toBe(130);
      expect(readdirSync(cache)).toEqual([]);
      expect(unfinished(repository.folder)).toEqual([]);
      const next = await scene.run(builder, repository, { args, request: { image_cache_dir: cache } });
      expect(next.response?.reused_cache).toBe(true);
    });

    describe.skipIf(!isRoot)("with small disks (skipped unless root, who may mount them)", () => {
      test("an archive that does not fit is told of, and nothing of it is left", async () => {
        const args = await base("full");
        const repository = scene.repository({ a: "" }, { install_cmds: ["true"] });
        await withSmallDisk("1m", async (image_cache_dir) => {
          const run = await scene.run(builder, repository, { args, request: { image_cache_dir } });
          expect(run.exitCode).toBe(1);
          expect(run.failure?.message).toContain(`Could not save the image to ${image_cache_dir}/`);
          expect(run.stderr).toContain("name another folder as image_cache_dir");
          expect(run.log).toContain("Could not save the image to");
          expect(readdirSync(image_cache_dir)).toEqual([]);
        });
      });

      test("a repository without room for its artifacts keeps those that it has", async () => {
        const args = await base("room");
        await withSmallDisk("96k", async (folder) => {
          const repository = { ...scene.repository({}, { install_cmds: [`seq 100000; echo ${scene.id}`] }), folder };
          const request = { image_cache_dir: scene.directory("cache") };
          const artifacts = join(folder, ".pf_manifest", "image_build");
          mkdirSync(artifacts, { recursive: true });
          writeFileSync(join(artifacts, "build.log"), "an earlier log\n");
          const run = await scene.run(builder, repository, { args, request });
          expect(run.exitCode).toBe(1);
          expect(run.failure?.message).toBe(`Could not write ${artifacts}/build.log: the disk is full.`);
          expect(run.log).toBe("an earlier log\n");
          expect(unfinished(folder)).toEqual([]);
          expect(existsSync(join(artifacts, "manifest.json"))).toBe(false);
        });
      });

      test("a repository that is mounted read-only is told of before anything is built or run", async () => {
        const args = await base("read-only");
        const repository = scene.repository({ a: "" }, { install_cmds: ["true"], gates: { test: { cmd: "true" } } });
        mount("--bind", repository.folder, repository.folder);
        try {
          mount("-o", "remount,ro,bind", repository.folder);
          const build = await scene.run(builder, repository, { args });
          expect(build.exitCode).toBe(1);
          const message = `Could not write ${repository.folder}/.pf_manifest: it is read-only.`;
          expect(build.failure?.message).toBe(message);
          expect(build.stderr).toContain("copy the repository");
          const place = ["--repo-dir", repository.folder, "--profile", repository.profilePath];
          const gates = await runCooper(["profile", "run", ...place, "--image", args[1] ?? ""], { engine });
          expect([gates.exitCode, v.parse(failure, JSON.parse(gates.stdout)).message]).toEqual([1, message]);
        } finally {
          unmount(repository.folder);
        }
      });
    });

    test("an archive folder that cannot be made is told of before the image is built", async () => {
      const args = await base("no-folder");
      const repository = scene.repository({ a: "" }, { install_cmds: ["true"] });
      const image_cache_dir = join(repository.folder, "a", "cache");
      const run = await scene.run(builder, repository, { args, request: { image_cache_dir } });
      expect(run.failure?.message).toContain("a file is in the way");
      expect(run.log).not.toContain("==> standard");
    });

    test("an archive that is kept in the repository is not in the image, and no change of it", async () => {
      const args = await base("inside");
      for (const place of ["kept [1]", "."]) {
        const repository = scene.repository({ a: "" }, { install_cmds: ["true"] });
        const request = { image_cache_dir: join(repository.folder, place) };
        const first = await scene.run(builder, repository, { args, request });
        const tag = first.response?.image_tag ?? first.stderr;
        expect((await runEngine(engine, ["run", "--rm", tag, "ls", "-A", "/workspace"])).trim()).toBe("a");
        const again = await scene.run(builder, repository, { args, request });
        expect(again.response?.reused_cache).toBe(true);
      }
    });
  },
  ["BuildKit", "podman"],
);

const PAIRS = [
  ["docker", "podman"],
  ["podman", "docker"],
] as const;

describe("one engine's archive on another", () => {
  const scene = openProfileScene();
  const engineOf = (name: string) =>
    availableEngines().find((engine) => engine.name === name && engine.reason === undefined);
  for (const [from, to] of PAIRS) {
    const [saver, loader] = [engineOf(from), engineOf(to)];
    test.skipIf(saver === undefined || loader === undefined)(
      `what ${from} saved ${to} loads, for the same base (skipped unless both are there)`,
      async () => {
        if (saver === undefined || loader === undefined) return;
        const name = await scene.baseImage(saver, `${from}-${to}`, fakeApt());
        await moveImage(name, { from: saver, to: loader, through: join(scene.directory("moved"), "base.tar") });
        scene.imageName(loader, `${from}-${to}`);
        const repository = scene.repository({ "a.txt": "one\n" }, { install_cmds: ["cp a.txt /installed"] });
        const options = { args: ["--base-image", name], request: { image_cache_dir: scene.directory("cache") } };
        const on = (engine: TestEngine): Pick<TestBuilder, "engine" | "flags"> => ({ engine, flags: [] });
        const built = await scene.run(on(saver), repository, options);
        expect(built.response?.reused_cache).toBe(false);
        const tag = built.response?.image_tag ?? "";
        expect(await hasImage(loader, tag)).toBe(false);
        const loaded = await scene.run(on(loader), repository, options);
        expect([loaded.log, loaded.response?.reused_cache]).toEqual([`Loaded cached image ${tag}.\n`, true]);
        expect(await runEngine(loader, ["run", "--rm", tag, "cat", "/installed"])).toBe("one\n");
        expect((await scene.run(on(loader), repository, options)).log).toBe(`Reused existing image ${tag}.\n`);
      },
    );
  }
});

async function moveImage(name: string, { from, to, through }: { from: TestEngine; to: TestEngine; through: string }) {
  await runEngine(from, ["save", "-o", through, name]);
  await runEngine(to, ["load", "--input", through]);
}
