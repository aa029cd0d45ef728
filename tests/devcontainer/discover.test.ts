import { expect, test } from "bun:test";
import {
  buildContextPath,
  checkConfigName,
  configSearch,
  dockerfilePath,
  lockfilePath,
  workspaceFolderOf,
} from "../../src/devcontainer/discover.ts";

test("a workspace's configuration is looked for in its .devcontainer folder, then beside it", () => {
  expect(configSearch({ workspaceFolder: "/w" })).toEqual({
    candidates: ["/w/.devcontainer/devcontainer.json", "/w/.devcontainer.json"],
    otherwise: undefined,
  });
});

test("an explicit configuration is the only one", () => {
  expect(configSearch({ workspaceFolder: "/w", config: "/c.json" })).toEqual({
    candidates: ["/c.json"],
    otherwise: undefined,
  });
});

test("with an override the usual path stands for a configuration that is not there", () => {
  const overrideConfig = "/o.json";
  expect(configSearch({ workspaceFolder: "/w", overrideConfig }).otherwise).toBe("/w/.devcontainer/devcontainer.json");
  expect(configSearch({ workspaceFolder: "/w", config: "/c.json", overrideConfig }).otherwise).toBe("/c.json");
  expect(configSearch({ overrideConfig })).toEqual({ candidates: [], otherwise: "/o.json" });
});

test("a .code-workspace file stands for its folder", () => {
  expect(workspaceFolderOf("/w/a/my.code-workspace")).toBe("/w/a");
  expect(workspaceFolderOf("/w/a")).toBe("/w/a");
});

test("the lockfile is hidden beside a hidden configuration", () => {
  expect(lockfilePath("/w/.devcontainer.json")).toBe("/w/.devcontainer-lock.json");
  expect(lockfilePath("/w/.devcontainer/devcontainer.json")).toBe("/w/.devcontainer/devcontainer-lock.json");
});

test("up wants the usual file name", () => {
  expect(() => checkConfigName("/w/.devcontainer/devcontainer.json")).not.toThrow();
  expect(() => checkConfigName("/w/.devcontainer.json")).not.toThrow();
  expect(() => checkConfigName("/w/my-devcontainer.json")).toThrow(
    "Filename must be devcontainer.json or .devcontainer.json (/w/my-devcontainer.json).",
  );
});

test("Dockerfile and build context are beside the configuration", () => {
  const path = "/w/.devcontainer/devcontainer.json";
  expect(dockerfilePath({ image: "a" }, path)).toBeUndefined();
  const build = { build: { dockerfile: "docker/Dockerfile", context: ".." } };
  expect(dockerfilePath(build, path)).toBe("/w/.devcontainer/docker/Dockerfile");
  expect(buildContextPath(build, path)).toBe("/w");
  expect(buildContextPath({ build: { dockerfile: "/abs/Dockerfile" } }, path)).toBe("/abs");
});

test("the build context defaults to the Dockerfile's folder", () => {
  const path = "/w/.devcontainer.json";
  expect(buildContextPath({ build: { dockerfile: "docker/Dockerfile" } }, path)).toBe("/w/docker");
});

test("the older dockerFile takes its context from beside it, and wins over build", () => {
  const path = "/w/.devcontainer.json";
  const both = { dockerFile: "A", context: "one", build: { dockerfile: "B", context: "two" } };
  expect(dockerfilePath(both, path)).toBe("/w/A");
  expect(buildContextPath(both, path)).toBe("/w/one");
  expect(buildContextPath({ build: { dockerfile: "B", context: "two" }, context: "one" }, path)).toBe("/w/two");
  expect(buildContextPath({ dockerFile: "x/A", build: { context: "two" } }, path)).toBe("/w/x");
});
