import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper } from "./engines.ts";
import { openUpScene } from "./up-scene.ts";

const git = Bun.which("git");

async function runGit(folder: string, args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  const child = Bun.spawn([git ?? "git", ...identity, ...args], { cwd: folder, stdout: "ignore", stderr: "pipe" });
  const stderr = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(stderr);
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openUpScene(engine);
    const { project, up, cooper, inContainer, containers } = scene;

    async function ps(args: readonly string[]) {
      const { exitCode, stdout } = await runCooper(["ps", ...args], { engine, home: scene.home });
      expect(exitCode).toBe(0);
      return stdout;
    }

    test.skipIf(git === null)(
      "two worktrees of one repository are up at once, and each is taken down by itself",
      async () => {
        const first = project({ image: BASE_IMAGE });
        await runGit(first, ["init", "-q", "-b", "main"]);
        await runGit(first, ["add", "."]);
        await runGit(first, ["commit", "-q", "-m", "one"]);
        const second = `${first}-second`;
        await runGit(first, ["worktree", "add", "-q", second, "-b", "other"]);
        try {
          const [one, two] = await Promise.all([up(first), up(second)]);
          expect(one).not.toBe(two);
          expect(await up(first)).toBe(one);
          expect(await up(second)).toBe(two);
          const folder = `/workspaces/${second.split("/").at(-1)}`;
          expect(await inContainer(two, `ls -a ${folder} | tr '\\n' ' '`)).toBe(". .. .devcontainer .git ");
          const listed = await ps(["--workspace-folder", first]);
          expect(listed).toContain(one.slice(0, 12));
          expect(listed).not.toContain(two.slice(0, 12));
          const all = await ps(["--all"]);
          for (const id of [one, two]) expect(all).toContain(id.slice(0, 12));
          expect((await cooper("down", first)).outcome).toMatchObject({ removed: { containers: [one] } });
          expect((await cooper("down", first)).outcome).toMatchObject({
            outcome: "success",
            removed: { containers: [] },
          });
          expect((await containers(second)).map(({ id }) => id)).toEqual([two]);
          expect((await cooper("down", second)).outcome).toMatchObject({ removed: { containers: [two] } });
        } finally {
          const left = (await containers(second)).map(({ id }) => id);
          if (left.length > 0) await askEngine(engine, ["rm", "--force", ...left]);
        }
      },
    );

    test.skipIf(git === null)("a worktree gets its repository too where the two flags ask for it", async () => {
      const first = project({ image: BASE_IMAGE });
      await runGit(first, ["init", "-q", "-b", "main"]);
      await runGit(first, ["add", "."]);
      await runGit(first, ["commit", "-q", "-m", "one"]);
      const second = `${first}-linked`;
      await runGit(first, ["worktree", "add", "-q", second, "-b", "other"]);
      // As `git worktree add --relative-paths` of newer versions of git has it.
      await Bun.write(
        join(second, ".git"),
        `gitdir: ../${first.split("/").at(-1)}/.git/worktrees/${second.split("/").at(-1)}\n`,
      );
      try {
        const id = await up(second, { args: ["--mount-git-worktree-common-dir"] });
        const { outcome } = await cooper("up", second, { args: ["--mount-git-worktree-common-dir"] });
        const script = `cd ${outcome.remoteWorkspaceFolder} && cat "$(sed 's/gitdir: //' .git)/HEAD"`;
        expect(await inContainer(id, script)).toBe("ref: refs/heads/other\n");
      } finally {
        await cooper("down", second);
      }
    });

    test("a folder within a repository is worked in, with all of the repository mounted", async () => {
      const top = project(
        { image: BASE_IMAGE },
        { "part/.devcontainer/devcontainer.json": { json: { image: BASE_IMAGE } }, "other/file": "" },
      );
      await Bun.write(join(top, ".git", "HEAD"), "ref: refs/heads/main\n");
      const part = join(top, "part");
      const base = top.split("/").at(-1);
      try {
        const { outcome } = await cooper("up", part);
        expect(outcome.remoteWorkspaceFolder).toBe(`/workspaces/${base}/part`);
        expect(await inContainer(outcome.containerId ?? "", `ls /workspaces/${base}/other`)).toBe("file\n");
        await cooper("down", part);
        const alone = await cooper("up", part, { args: ["--mount-workspace-git-root", "false"] });
        expect(alone.outcome.remoteWorkspaceFolder).toBe("/workspaces/part");
      } finally {
        await cooper("down", part);
      }
    });

    test("down leaves nothing of what two commands at a time have made", async () => {
      const folder = project({ image: BASE_IMAGE });
      const ids = await Promise.all([up(folder), up(folder)]);
      const { outcome } = await cooper("down", folder);
      expect(outcome["removed"]).toMatchObject({ containers: expect.arrayContaining([...new Set(ids)]) });
      expect(await containers(folder)).toEqual([]);
    });

    test("down of one configuration leaves another's container of the same folder", async () => {
      const config = { image: BASE_IMAGE };
      const folder = project(config, { ".devcontainer/other/devcontainer.json": { json: config } });
      const id = await up(folder);
      const args = ["--config", join(folder, ".devcontainer/other/devcontainer.json")];
      const other = await up(folder, { args });
      expect(other).not.toBe(id);
      expect((await cooper("down", folder, { args })).outcome).toMatchObject({ removed: { containers: [other] } });
      expect((await containers(folder)).map((container) => container.id)).toEqual([id]);
    });

    test("down keeps what volumes store, down --volumes does not", async () => {
      const volume = `down-${scene.id}`;
      const folder = project({ image: BASE_IMAGE, mounts: [`type=volume,source=${volume},target=/data`] });
      const volumes = async () =>
        (await runEngine(engine, ["volume", "ls", "-q"])).split("\n").filter((one) => one === volume);
      await inContainer(await up(folder), "echo kept >/data/file");
      expect((await cooper("down", folder)).outcome).toMatchObject({ removed: { volumes: [] } });
      expect(await volumes()).toEqual([volume]);
      expect(await inContainer(await up(folder), "cat /data/file")).toBe("kept\n");
      const { outcome, stderr } = await cooper("down", folder, { args: ["--volumes"] });
      expect(outcome).toMatchObject({ removed: { volumes: [volume] } });
      expect(stderr).toContain(`Removed the volume ${volume}.`);
      expect(await volumes()).toEqual([]);
      expect(await containers(folder)).toEqual([]);
    });

    test("a volume that another container uses stays, with a warning", async () => {
      const volume = `shared-${scene.id}`;
      const config = { image: BASE_IMAGE, mounts: [`type=volume,source=${volume},target=/data`] };
      const [one, two] = [project(config), project(config)];
      await up(one);
      await up(two);
      const { outcome, stderr } = await cooper("down", one, { args: ["--volumes"] });
      expect(outcome).toMatchObject({ outcome: "success", removed: { volumes: [] } });
      expect(stderr).toContain(`The volume ${volume} stays`);
      expect((await cooper("down", two, { args: ["--volumes"] })).outcome).toMatchObject({
        removed: { volumes: [volume] },
      });
    });

    test("down removes a container whose configuration is gone, and forgets it", async () => {
      const folder = project({ image: BASE_IMAGE, postCreateCommand: "true" });
      const id = await up(folder);
      rmSync(join(folder, ".devcontainer"), { recursive: true });
      expect((await cooper("down", folder)).outcome).toMatchObject({ removed: { containers: [id] } });
      const state = [...new Bun.Glob(`**/*${id}*`).scanSync({ cwd: scene.home, dot: true })];
      expect(state).toEqual([]);
    });

    test("logs shows what the container printed, its last lines with --tail", async () => {
      const image = await scene.baseImage(
        engine,
        "prints",
        'CMD ["sh", "-c", "trap exit TERM; echo one; echo two >&2; sleep 0.3; echo three; sleep 1000 & wait"]',
      );
      const folder = project({ image, overrideCommand: false });
      await up(folder);
      const logs = (args: readonly string[]) =>
        runCooper(["logs", "--workspace-folder", folder, ...args], { engine, home: scene.home });
      for (let tries = 0; tries < 100 && !(await logs([])).stdout.includes("three"); tries += 1) await Bun.sleep(50);
      expect(await logs([])).toEqual({ exitCode: 0, stdout: "Container started\none\nthree\n", stderr: "two\n" });
      expect((await logs(["--tail", "1"])).stdout).toBe("three\n");
      expect((await logs(["--tail", "x"])).exitCode).toBe(1);
      await cooper("stop", folder);
      expect((await logs(["--follow"])).stdout).toContain("three\n");
      await cooper("down", folder);
      const none = await logs([]);
      expect(none.exitCode).toBe(1);
      expect(none.stderr).toContain("Dev container not found");
    });

    test("ps lists a workspace's containers in whatever state, also as JSON", async () => {
      const folder = project({ image: BASE_IMAGE });
      expect(JSON.parse(await ps(["--workspace-folder", folder, "--json"]))).toEqual([]);
      const id = await up(folder);
      await cooper("stop", folder);
      expect(JSON.parse(await ps(["--workspace-folder", folder, "--json"]))).toMatchObject([
        {
          containerId: id,
          status: "exited",
          workspaceFolder: folder,
          configFile: join(folder, ".devcontainer/devcontainer.json"),
          composeProject: null,
        },
      ]);
    });
  });
}
