import { expect, test } from "bun:test";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeBuilders, runEngine } from "./builders.ts";
import { fakeApt, openProfileScene } from "./profile-scene.ts";
import { hasImage, inspectImage } from "./workspace.ts";

describeBuilders((builder) => {
  const scene = openProfileScene();
  const { engine } = builder;
  const INSTALL = { install_cmds: ["cp a.txt /installed"] };
  const withBase = async (label: string, lines?: string) => [
    "--base-image",
    await scene.baseImage(engine, label, fakeApt(lines)),
  ];

  test("an image is built, reused while nothing changes, and built again when a file does", async () => {
    const args = await withBase("plain");
    const files = { "a.txt": "one\n", ".dockerignore": "!.git\n/skipped\n", skipped: "", ".git/HEAD": "ref\n" };
    const repository = scene.repository(files, INSTALL);
    const first = await scene.run(builder, repository, { args });
    expect(first.response?.reused_cache).toBe(false);
    expect(first.log).toContain("cp a.txt /installed");
    expect(first.manifest).toMatchObject({ build_variant: "standard", reused_cache: false, base_image_tag: args[1] });
    const tag = first.response?.image_tag ?? "";
    expect(tag).toBe(`patchfoundry/${first.response?.profile_id}:latest`);
    const listing = await runEngine(engine, ["run", "--rm", tag, "ls", "-A", "/workspace"]);
    expect(listing.trim().split("\n").sort()).toEqual([".dockerignore", "a.txt"]);

    const again = await scene.run(builder, repository, { args });
    expect(again.response).toMatchObject({ ...first.response, reused_cache: true });
    expect(again.log).toBe(`Reused existing image ${tag}.\n`);

    writeFileSync(join(repository.folder, "a.txt"), "two\n");
    const trusting = await scene.run(builder, repository, { args: [...args, "--trust-tag"] });
    expect(trusting.response?.reused_cache).toBe(true);
    const changed = await scene.run(builder, repository, { args });
    expect(changed.response?.reused_cache).toBe(false);
    expect(await runEngine(engine, ["run", "--rm", tag, "cat", "/installed"])).toBe("two\n");
  });

  test("a cached archive is loaded when it is whole, and replaced when it is not or not wanted", async () => {
    const args = await withBase("cached");
    const repository = scene.repository({ "a.txt": "one\n" }, INSTALL);
    const request = { image_cache_dir: scene.directory("cache") };
    const first = await scene.run(builder, repository, { args, request });
    const tag = first.response?.image_tag ?? "";
    const archive = join(request.image_cache_dir, `${first.response?.profile_id}.tar`);
    expect(readdirSync(request.image_cache_dir)).toEqual([`${first.response?.profile_id}.tar`]);

    await runEngine(engine, ["rmi", "--force", tag]);
    const loaded = await scene.run(builder, repository, { args, request });
    expect(loaded.response?.reused_cache).toBe(true);
    expect(loaded.log).toBe(`Loaded cached image ${tag}.\n`);
    expect(await runEngine(engine, ["run", "--rm", tag, "cat", "/installed"])).toBe("one\n");

    const forced = await scene.run(builder, repository, { args, request: { ...request, force_rebuild: true } });
    expect(forced.response?.reused_cache).toBe(false);
    expect(forced.log).toContain("--no-cache");

    await runEngine(engine, ["rmi", "--force", tag]);
    truncateSync(archive, 1_000_000);
    const rebuilt = await scene.run(builder, repository, { args, request });
    expect(rebuilt.response?.reused_cache).toBe(false);
    expect(rebuilt.log).toContain("The cached image cannot be used and is built again");
    expect(rebuilt.stderr).toContain("is damaged");
  });

  test("an archive that would take another image's name is not loaded", async () => {
    const args = await withBase("hostile");
    const repository = scene.repository({ "a.txt": "one\n" }, INSTALL);
    const request = { image_cache_dir: scene.directory("cache") };
    const first = await scene.run(builder, repository, { args, request });
    const tag = first.response?.image_tag ?? "";
    const victim = scene.imageName(engine, "victim");
    const archive = join(request.image_cache_dir, `${first.response?.profile_id}.tar`);
    await runEngine(engine, ["tag", tag, victim]);
    const hostile = join(scene.directory("archive"), "hostile.tar");
    await runEngine(engine, ["save", "-o", hostile, victim]);
    await runEngine(engine, ["rmi", "--force", victim, tag]);
    writeFileSync(archive, readFileSync(hostile));
    const run = await scene.run(builder, repository, { args, request });
    expect(run.response?.reused_cache).toBe(false);
    expect(run.stderr).toContain("names another image");
    expect(await hasImage(engine, victim)).toBe(false);
  });

  test("a failed install command is told by its place, exit code and last lines, and nothing is cached", async () => {
    const args = await withBase("failing");
    const repository = scene.repository({ a: "" }, { install_cmds: ["true", " ", "echo to no avail >&2; exit 7"] });
    const run = await scene.run(builder, repository, { args });
    expect(run.exitCode).toBe(1);
    expect(run.failure?.message).toContain("install_cmds[2] failed with exit code 7: echo to no avail >&2; exit 7\n");
    expect(run.failure?.message).toContain("  to no avail");
    expect(run.failure?.build_log_path).toBe(join(repository.folder, ".pf_manifest/image_build/build.log"));
    expect(run.log).toContain("install_cmds[2] failed with exit code 7");
    expect(readdirSync(repository.folder).sort()).toEqual([".pf_manifest", "a"]);
    expect(run.failure?.message).not.toContain("intermediate container");
    if (builder.kind === "classic") expect(run.log).toMatch(/Removed intermediate container \w+\nThe command/);
  });

  test("values and commands mean in the image what they mean in the profile", async () => {
    const args = await withBase("literal");
    const env = { A: 'q"b\\d$HOME`x`', B: "one\ntwo", C: "" };
    const install_cmds = ['printf %s "$A$B" >/seen', "cat <<END >/here\n$A\nEND", "[ -f /seen ] && touch /tested"];
    const run = await scene.run(builder, scene.repository({ a: "" }, { env, install_cmds }), { args });
    const tag = run.response?.image_tag ?? run.stderr;
    const { Env } = await inspectImage(engine, tag);
    expect(Env).toContain(`A=${env.A}`);
    expect(Env).toContain(`B=${env.B}`);
    expect(await runEngine(engine, ["run", "--rm", tag, "cat", "/seen", "/here", "/tested"])).toBe(
      `${env.A}${env.B}${env.A}\n`,
    );
  });

  test("what pip keeps is found by the next build of the profile, and is not in the image", async () => {
    if (builder.kind === "classic") return;
    const args = await withBase("caches");
    const install_cmds = ["mkdir -p ~/.cache/pip && date >>~/.cache/pip/kept && wc -l <~/.cache/pip/kept >/lines"];
    const repository = scene.repository({ a: "1" }, { install_cmds });
    const first = await scene.run(builder, repository, { args });
    writeFileSync(join(repository.folder, "a"), "2");
    expect((await scene.run(builder, repository, { args })).failure).toBeUndefined();
    const tag = first.response?.image_tag ?? first.stderr;
    const seen = await runEngine(engine, [
      "run",
      "--rm",
      tag,
      "sh",
      "-c",
      "cat /lines; ls ~/.cache/pip 2>/dev/null || true",
    ]);
    expect(seen.trim()).toBe("2");
  });

  test("packages that the mirrors have dropped come from the archive, and the variant is remembered", async () => {
    const dropped =
      'grep -rqs archive.debian.org /etc/apt/sources.list /etc/apt/sources.list.d || { echo "E: The repository does not have a Release file."; exit 100; }';
    const base = await scene.baseImage(
      engine,
      "dropped",
      `RUN rm -rf /etc/apt/sources.list* && echo "deb http://ftp.debian.org/debian buster main" >/etc/apt/sources.list\n${fakeApt(dropped)}`,
    );
    const args = ["--base-image", base];
    const repository = scene.repository({ "a.txt": "one\n" }, INSTALL);
    const run = await scene.run(builder, repository, { args });
    expect(run.stderr).toContain("trying again as archive");
    expect(run.manifest).toMatchObject({ build_variant: "archive", archive_used: true, apt_security_mode: "archive" });
    expect(run.log).toMatch(/==> standard: [\s\S]*==> standard failed: [\s\S]*==> archive: /);
    const again = await scene.run(builder, repository, { args });
    expect(again.response?.reused_cache).toBe(true);
    expect(again.manifest).toMatchObject({ build_variant: "archive", reused_cache: true });
  });

  test("a repository that cannot be written to is told of", async () => {
    const args = await withBase("unwritable");
    const run = await scene.run(builder, scene.repository({ ".pf_manifest": "in the way" }, INSTALL), { args });
    expect(run.exitCode).toBe(1);
    expect(run.failure?.message).toContain(".pf_manifest");
  });
});
