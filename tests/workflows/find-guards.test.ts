import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createEngine } from "../../src/runtime/engine.ts";
import type { Others } from "../../src/store/agent-presence.ts";
import { findGuards } from "../../src/workflows/find-guards.ts";
import { placeGuards, takeGuards } from "../../src/workflows/place-guards.ts";

const root = mkdtempSync(join(tmpdir(), "cooper-guards-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(files: Readonly<Record<string, string>> = {}): string {
  const made = mkdtempSync(join(root, "project-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(made, path)), { recursive: true });
    writeFileSync(join(made, path), text);
  }
  return made;
}

function git(place: string, ...args: string[]): void {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@test", "-c", "protocol.file.allow=always"];
  const { exitCode, stderr } = Bun.spawnSync(["git", "-C", place, ...identity, ...args], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
}

function repository(files: Readonly<Record<string, string>> = {}): string {
  const made = folder(files);
  git(made, "init", "-q");
  git(made, "add", "-A");
  git(made, "commit", "-q", "--allow-empty", "-m", "first");
  return made;
}

const pathsOf = (place: string) => findGuards(place).guards.map(({ path, kind }) => `${path} ${kind}`);
const absent = [
  ".devcontainer directory",
  ".devcontainer.json directory",
  "cooper.jsonc directory",
  "ocx.env directory",
  "ocx.json directory",
];

test("what is there is guarded as it is, and what is absent by a folder in its place", () => {
  expect(pathsOf(folder())).toEqual(absent);
  expect(pathsOf(folder({ "cooper.jsonc": "{}", ".devcontainer/devcontainer.json": "{}" }))).toEqual(
    absent.with(2, "cooper.jsonc file"),
  );
});

test("of a repository hooks, configuration and the place of another common folder are guarded, and looking changes nothing", () => {
  const place = repository();
  rmSync(join(place, ".git", "hooks"), { recursive: true });
  const before = readdirSync(place, { recursive: true, encoding: "utf8" }).toSorted();
  expect(pathsOf(place)).toEqual([
    ...absent.slice(0, 2),
    ".git/commondir file",
    ".git/config file",
    ".git/hooks directory",
    ...absent.slice(2),
  ]);
  expect(readdirSync(place, { recursive: true, encoding: "utf8" }).toSorted()).toEqual(before);
});

test("hooks and configurations that a repository's configuration names are guarded too, inside the project alone", () => {
  const place = repository({ ".husky/_/pre-commit": "", "tools/gitconfig": "[include]\npath = more\n" });
  for (const [key, value] of [
    ["core.hooksPath", ".husky/_"],
    ["include.path", "../tools/gitconfig"],
    ["extensions.worktreeConfig", "true"],
  ] as const)
    git(place, "config", key, value);
  const found = pathsOf(place);
  for (const path of [".husky/_ directory", "tools/gitconfig file", "tools/more file", ".git/config.worktree file"])
    expect(found).toContain(path);
  git(place, "config", "core.hooksPath", join(place, "hooks"));
  expect(pathsOf(place)).toContain("hooks directory");
  git(place, "config", "core.hooksPath", "/etc/hooks");
  git(place, "config", "--add", "include.path", "../../outside");
  expect(pathsOf(place).join()).not.toMatch(/etc|outside/);
});

test("submodules in any depth are guarded, their .git files and their worktrees' hooks as well", () => {
  const inner = repository({ "b.txt": "b" });
  const middle = repository({ "a.txt": "a" });
  git(middle, "submodule", "--quiet", "add", inner, "inner");
  git(middle, "commit", "-q", "-m", "inner");
  const place = repository();
  git(place, "submodule", "--quiet", "add", "--name", "deep/name", middle, "libs/middle");
  git(place, "submodule", "--quiet", "update", "--init", "--recursive");
  git(join(place, "libs/middle"), "config", "core.hooksPath", ".hooks");
  const found = pathsOf(place);
  const modules = ".git/modules/deep/name";
  for (const path of [
    "libs/middle/.git file",
    "libs/middle/inner/.git file",
    "libs/middle/.hooks directory",
    ...[modules, `${modules}/modules/inner`].flatMap((module) => [
      `${module}/commondir file`,
      `${module}/config file`,
      `${module}/hooks directory`,
    ]),
  ])
    expect(found).toContain(path);
});

test("worktrees are guarded on both sides", () => {
  const place = repository();
  const linked = join(root, "linked");
  git(place, "worktree", "add", "-q", linked);
  expect(pathsOf(place)).toContain(".git/worktrees/linked/commondir file");
  expect(pathsOf(place)).toContain(".git/worktrees/linked/gitdir file");
  expect(pathsOf(linked)).toContain(".git file");
});

test("submodules that lead round in a circle or out of the project end the search", () => {
  const place = repository({
    ".gitmodules": '[submodule "a"]\npath = a\n[submodule "b"]\npath = ../..\n[submodule "c"]\npath = /etc\n',
    "a/.gitmodules": '[submodule "up"]\npath = ../a/../a\n',
  });
  git(join(place, "a"), "init", "-q");
  expect(pathsOf(place)).toContain("a/.git/hooks directory");
});

test("a symlink is no guard, and is told", () => {
  const place = repository({ "real/devcontainer.json": "{}" });
  symlinkSync("real", join(place, ".devcontainer"));
  rmSync(join(place, ".git/hooks"), { recursive: true });
  symlinkSync("/etc", join(place, ".git/hooks"));
  const { guards, links } = findGuards(place);
  expect(links).toEqual([".devcontainer", ".git/hooks"]);
  expect(guards.map(({ path }) => path)).not.toContain(".devcontainer");
});

/** An engine that stands in for one with these containers in the folder. */
const engineWith = (containers: string) => {
  const answer = { exitCode: 0, stdout: containers, stderr: "" };
  const runProcess = () => Promise.resolve(answer);
  return { engine: createEngine("docker", runProcess), tools: { runProcess } };
};

/** Others in the folder, as they would be told. */
const presenceOf = (others: Others) => ({ leave: () => others, forgetKilled: () => undefined });

test("what is put in place is taken away again, git sees none of it, and what was there stays", async () => {
  const place = repository({ "cooper.jsonc": "{}" });
  rmSync(join(place, ".git", "hooks"), { recursive: true });
  const before = readdirSync(place, { recursive: true, encoding: "utf8" }).toSorted();
  const { guards } = findGuards(place);
  placeGuards(place, guards);
  expect(readFileSync(join(place, ".git/commondir"), "utf8")).toBe(".\n");
  const status = Bun.spawnSync(["git", "-C", place, "status", "--porcelain"], { stdout: "pipe", stderr: "pipe" });
  expect(`${status.stdout}${status.stderr}`).toBe("");
  git(place, "commit", "-q", "--allow-empty", "-m", "meanwhile");
  // Somebody's by now.
  writeFileSync(join(place, ".devcontainer", "devcontainer.json"), "{}");
  const { engine, tools } = engineWith("");
  await takeGuards({ workspace: place, guards, engine, presence: presenceOf("none") }, tools);
  rmSync(join(place, ".git/objects"), { recursive: true });
  const after = readdirSync(place, { recursive: true, encoding: "utf8" }).toSorted();
  expect(after.filter((path) => !before.includes(path))).toEqual([
    ".devcontainer",
    join(".devcontainer", "devcontainer.json"),
  ]);
});

test("what keeps another agent in the folder from writing stays until that one ends", async () => {
  const place = folder();
  const { guards } = findGuards(place);
  placeGuards(place, guards);
  const busy = engineWith("0123456789ab\n");
  for (const presence of [presenceOf("running"), presenceOf("killed")])
    await takeGuards({ workspace: place, guards, engine: busy.engine, presence }, busy.tools);
  expect(existsSync(join(place, "cooper.jsonc"))).toBe(true);
  // A second run found the placeholders, and takes them away when it is the last.
  const second = findGuards(place).guards;
  const free = engineWith("");
  await takeGuards(
    { workspace: place, guards: second, engine: free.engine, presence: presenceOf("killed") },
    free.tools,
  );
  expect(readdirSync(place)).toEqual([".devcontainer"]);
});
