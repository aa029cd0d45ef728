import { expect, test } from "bun:test";
import { readGitConfig } from "../../src/agent/git-config.ts";

test("settings of a git configuration are read with their sections, whatever way they are written", () => {
  const text = [
    "; a comment",
    '[core] hooksPath = ".husky/_" # here',
    "\tbare",
    '[includeIf "gitdir:~/work/"]',
    "\tpath = ../common\\\\config",
    '[submodule "a ] b"]',
    "path = li\\",
    "bs/a",
    "[extensions]",
    "worktreeConfig = true",
    "= nothing",
  ].join("\n");
  expect(readGitConfig(text)).toEqual([
    { name: "core.hookspath", value: ".husky/_" },
    { name: "core.bare", value: "true" },
    { name: "includeif.path", value: "../common\\config" },
    { name: "submodule.path", value: "libs/a" },
    { name: "extensions.worktreeconfig", value: "true" },
  ]);
});
