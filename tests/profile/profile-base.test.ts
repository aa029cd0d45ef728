import { expect, test } from "bun:test";
import { profileBaseImage, selectPythonVersion } from "../../src/profile/profile-base.ts";
import { parseRepoProfile } from "../../src/profile/repo-profile.ts";

test.each([
  [null, "3.11"],
  ["", "3.11"],
  [" 3.12 ", "3.12"],
  ["3.9.18", "3.9.18"],
  [">=3.8,<4", "3.8"],
  [">=3.10,<3.9.1", "3.9.1"],
  ["^3.7", "3.7"],
  ["python3", "3.0"],
  ["4", "4.0"],
  ["latest", "3.11"],
])("the target %p means Python %p", (target, version) => {
  expect(selectPythonVersion(target)).toBe(version);
});

test("a base is the one wished for, the one named, else the language's own", () => {
  const base = (profile: object, wished?: string) =>
    profileBaseImage(parseRepoProfile(JSON.stringify({ install_cmds: [], ...profile }), "p").profile, wished);
  expect(base({ base_image: "a:1" }, "b:2")).toBe("b:2");
  expect(base({ base_image: "a:1", language: "node" })).toBe("a:1");
  expect(base({})).toBe("python:3.11-slim");
  expect(base({ language: "node" })).toBe("node:lts-slim");
  expect(base({ language: "go" })).toBe("golang:1-bookworm");
  expect(base({ language: "rust" })).toBe("rust:1-slim");
});
