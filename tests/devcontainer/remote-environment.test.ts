import { expect, test } from "bun:test";
import {
  mergePaths,
  mergeRemoteEnvironment,
  readProbedEnvironment,
} from "../../src/devcontainer/remote-environment.ts";

const nothing = { containerEnv: {}, probed: {}, flags: {}, remoteEnv: {} };

test("the configuration's remoteEnv is stronger than --remote-env, and that than what the shell sets up", () => {
  const { env } = mergeRemoteEnvironment({
    ...nothing,
    probed: { A: "shell", B: "shell", C: "shell" },
    flags: { B: "flag", C: "flag" },
    remoteEnv: { C: "config" },
  });
  expect(env).toEqual({ A: "shell", B: "flag", C: "config" });
});

test("null takes a variable away wherever it came from", () => {
  const merged = mergeRemoteEnvironment({
    containerEnv: { OF_IMAGE: "x" },
    probed: { OF_SHELL: "x" },
    flags: {},
    remoteEnv: { OF_IMAGE: null, OF_SHELL: null, NOWHERE: null },
  });
  expect(merged).toEqual({ env: {}, unset: ["OF_IMAGE"] });
});

test("what the container has anyway is not said again", () => {
  const { env } = mergeRemoteEnvironment({
    ...nothing,
    containerEnv: { PATH: "/bin", LANG: "C" },
    probed: { PATH: "/bin", LANG: "C.UTF-8" },
  });
  expect(env).toEqual({ LANG: "C.UTF-8" });
});

test("paths that only the container has come where they were", () => {
  expect(
    mergePaths("/usr/local/bin:/usr/bin:/bin", "/opt/node/bin:/usr/local/bin:/opt/go/bin:/usr/bin:/bin", false),
  ).toBe("/opt/node/bin:/usr/local/bin:/opt/go/bin:/usr/bin:/bin");
});

test("folders called sbin are added for root alone", () => {
  expect(mergePaths("/usr/bin", "/usr/sbin:/usr/bin", false)).toBe("/usr/bin");
  expect(mergePaths("/usr/bin", "/usr/sbin:/usr/bin", true)).toBe("/usr/sbin:/usr/bin");
});

test("what the shell prints before and after the marks is no variable", () => {
  const output = "Welcome!\nX=1\nMARKA=1\0MULTI=line\nline\0PWD=/root\0SHLVL=1\0_=/bin/cat\0OLDPWD=/\0EMPTY=\0MARKbye";
  expect(readProbedEnvironment(output, "MARK")).toEqual({ A: "1", MULTI: "line\nline", EMPTY: "" });
});

test("an environment of lines is read too", () => {
  expect(readProbedEnvironment("MARKA=1\nB=x=y\nMARK", "MARK")).toEqual({ A: "1", B: "x=y" });
});

test("without both marks nothing is known", () => {
  expect(readProbedEnvironment("This account is currently not available.\n", "MARK")).toBeUndefined();
  expect(readProbedEnvironment("MARKA=1\0", "MARK")).toBeUndefined();
});
