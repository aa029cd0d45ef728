import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { openShellScene } from "./agent-shell.ts";
import { askEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine } from "./engines.ts";
import { until } from "./processes.ts";
import { writeFiles } from "./workspace.ts";

function git(place: string, ...args: string[]): string {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@test", "-c", "protocol.file.allow=always"];
  const done = Bun.spawnSync(["git", "-C", place, ...identity, ...args], { stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
  return `${done.stdout}`;
}

/** Tries everything to get `evil` into a path, or the path out of the way; says what it could do. */
const ATTACK = `
attack() {
  for path; do
    (echo evil >"$path") 2>/dev/null && echo "wrote $path"
    (echo evil >>"$path") 2>/dev/null && echo "added to $path"
    (echo evil >"$path/evil") 2>/dev/null && echo "wrote into $path"
    mkdir "$path/evil" 2>/dev/null && echo "made a folder in $path"
    mv "$path" "$path.moved" 2>/dev/null && echo "moved $path"
    rm -rf "$path" 2>/dev/null && echo "removed $path"
    ln -sfT /tmp "$path" 2>/dev/null && echo "linked $path"
    umount "$path" 2>/dev/null && echo "unmounted $path"
    chmod 777 "$path" 2>/dev/null && echo "opened $path"
  done
}
`;

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openShellScene(engine);
    const settings = { custom_base_image: BASE_IMAGE };
    const everything = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();

    test("what is absent cannot be made by a shell in an agent's place, and nothing of that is left in the project", async () => {
      const folder = scene.project({});
      rmSync(join(folder, "cooper.jsonc"));
      git(folder, "init", "-q");
      rmSync(join(folder, ".git", "hooks"), { recursive: true });
      const before = everything(folder);
      const paths = [".devcontainer", ".devcontainer.json", "cooper.jsonc", "ocx.json", "ocx.env"];
      const inGit = [".git/hooks", ".git/commondir", ".git/config"];
      const env = { COOPER_CUSTOM_BASE_IMAGE: BASE_IMAGE, COOPER_DATA_VOLUMES_MODE: "never" };
      const script = `${ATTACK} attack ${[...paths, ...inGit].join(" ")}; mv .git .moved 2>/dev/null && echo moved git; ls -A; echo done >made`;
      const run = await scene.inside(folder, script, env);
      expect(run.stdout.split("\n").filter((line) => / /.test(line))).toEqual([]);
      expect(run.stdout.split("\n")).toContain("cooper.jsonc");
      expect(run.exitCode).toBe(0);
      expect(readFileSync(join(folder, "made"), "utf8")).toBe("done\n");
      rmSync(join(folder, "made"));
      expect(everything(folder)).toEqual(before);
    });

    test("what is there cannot be changed by a shell in an agent's place, submodules and named hooks neither", async () => {
      const module = scene.workspace({ "a.txt": "a" });
      git(module, "init", "-q");
      git(module, "add", "-A");
      git(module, "commit", "-q", "-m", "first");
      const folder = scene.project(settings, {
        ".devcontainer/devcontainer.json": { json: {} },
        ".husky/_/pre-commit": "#!/bin/sh\n",
      });
      git(folder, "init", "-q");
      git(folder, "config", "core.hooksPath", ".husky/_");
      git(folder, "submodule", "--quiet", "add", "--name", "deep/name", module, "libs/sub");
      git(folder, "add", "-A");
      git(folder, "commit", "-q", "--no-verify", "-m", "first");
      const guarded = [
        ...["cooper.jsonc", ".devcontainer", ".husky/_", "libs/sub/.git", ".git/config", ".git/hooks"],
        ...["config", "hooks", "commondir"].map((path) => `.git/modules/deep/name/${path}`),
      ];
      const around = [
        "libs/sub",
        "libs",
        ".husky",
        ".git/modules/deep/name",
        ".git/modules/deep",
        ".git/modules",
        ".git",
      ];
      const script = `${ATTACK} attack ${guarded.join(" ")}
        for path in ${around.join(" ")}; do mv $path $path.moved 2>/dev/null && echo "moved $path"; done
        echo work >libs/sub/new && echo work >.git/modules/deep/name/new && echo work >.git/new && echo worked`;
      expect((await scene.inside(folder, script)).stdout).toBe("worked\n");
      expect(git(folder, "status", "--porcelain")).toBe(" M libs/sub\n");
      rmSync(join(folder, "libs/sub/new"));
      expect(git(folder, "status", "--porcelain")).toBe("");
    });

    test("git works on this machine as usual while the placeholders of an agent that runs are there", async () => {
      const folder = scene.project(settings);
      git(folder, "init", "-q");
      const run = scene.inside(folder, "echo ready >ready; while [ -e ready ]; do sleep 0.1; done");
      for (let round = 0; round < 600 && !everything(folder).includes("ready"); round += 1) await Bun.sleep(100);
      expect(everything(folder)).toContain(".git/commondir");
      git(folder, "add", "cooper.jsonc");
      git(folder, "commit", "-q", "-m", "meanwhile");
      git(folder, "gc", "-q");
      expect(git(folder, "log", "--format=%s")).toBe("meanwhile\n");
      expect(git(folder, "status", "--porcelain")).toBe("?? ready\n");
      rmSync(join(folder, "ready"));
      expect((await run).exitCode).toBe(0);
      expect(everything(folder)).not.toContain(".git/commondir");
    });

    test("two at once are both guarded, and the last takes the placeholders away", async () => {
      const folder = scene.project(settings);
      await scene.inside(folder, "true");
      const long = scene.inside(
        folder,
        `${ATTACK} echo >one; while [ -e one ]; do sleep 0.1; done; attack ocx.json .devcontainer; echo end`,
      );
      for (let round = 0; round < 600 && !everything(folder).includes("one"); round += 1) await Bun.sleep(100);
      expect((await scene.inside(folder, "true")).exitCode).toBe(0);
      expect(everything(folder)).toContain("ocx.json");
      // What another cooper does meanwhile takes no placeholder for a file.
      expect((await scene.cooper(folder, ["config"])).exitCode).toBe(0);
      rmSync(join(folder, "one"));
      expect((await long).stdout).toBe("end\n");
      expect(everything(folder)).toEqual(["cooper.jsonc"]);
    });

    test("where a run was killed and its container lives on, its placeholders stay until that ends", async () => {
      const folder = scene.project(settings);
      const { id, kill } = await scene.start(folder);
      kill();
      expect((await scene.inside(folder, "true")).exitCode).toBe(0);
      expect(everything(folder)).toContain("ocx.json");
      const beside = await askEngine(engine, ["exec", id, "sh", "-c", `${ATTACK} attack ocx.json .devcontainer`]);
      expect(beside.stdout).toBe("");
      rmSync(join(folder, "going"));
      // Until it is removed, too: nobody but the engine waits for it any more.
      await until(
        async () => !(await askEngine(engine, ["ps", "--all", "--quiet", "--no-trunc"])).stdout.includes(id),
        `${id} to be gone`,
      );
      expect(await scene.inside(folder, "true")).toMatchObject({ exitCode: 0 });
      // An empty one may be the user's: nobody is left who knows.
      expect(everything(folder)).toEqual([".devcontainer", "cooper.jsonc"]);
    });

    test("what a killed run left is taken away by the next, and a symlink is told", async () => {
      const folder = scene.project(settings);
      for (const path of ["ocx.json", "ocx.env", ".devcontainer.json"]) mkdirSync(join(folder, path));
      writeFiles(folder, { "real/devcontainer.json": "{}" });
      symlinkSync("real", join(folder, ".devcontainer"));
      const { stderr, exitCode } = await scene.inside(folder, "true");
      expect(exitCode).toBe(0);
      expect(stderr).toContain(`${folder}/.devcontainer is a symlink`);
      expect(readdirSync(folder).toSorted()).toEqual([".devcontainer", "cooper.jsonc", "real"]);
    });
  });
}
