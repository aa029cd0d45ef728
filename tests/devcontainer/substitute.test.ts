// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of devcontainer.json look like that.
import { expect, test } from "bun:test";
import { type SubstitutionContext, substitute, substituteObject } from "../../src/devcontainer/substitute.ts";

const reading: SubstitutionContext = {
  localEnv: { HOME: "/home/me", EMPTY: "" },
  localWorkspaceFolder: "/src/demo",
  containerWorkspaceFolder: "/workspaces/${localWorkspaceFolderBasename}",
};

test("strings are replaced at every depth, keys and other values never", () => {
  expect(substituteObject({ "${localEnv:HOME}": [1, null, true, { a: "x${localEnv:HOME}y" }] }, reading)).toEqual({
    "${localEnv:HOME}": [1, null, true, { a: "x/home/mey" }],
  });
});

test("env is another name of localEnv", () => {
  expect(substitute("${env:HOME}:${localEnv:HOME}", reading)).toBe("/home/me:/home/me");
});

test("an unset variable is its default or empty, an empty one stays empty", () => {
  expect(substitute("[${localEnv:NO}]", reading)).toBe("[]");
  expect(substitute("[${localEnv:NO:a}]", reading)).toBe("[a]");
  expect(substitute("[${localEnv:NO:a:b}]", reading)).toBe("[a]");
  expect(substitute("[${localEnv:EMPTY:a}]", reading)).toBe("[]");
});

test("properties that every object has are no environment variables", () => {
  expect(substitute("[${localEnv:constructor}][${localEnv:__proto__:x}]", reading)).toBe("[][x]");
});

test("workspace folders and their names are replaced", () => {
  expect(substitute("${localWorkspaceFolder} ${localWorkspaceFolderBasename}", reading)).toBe("/src/demo demo");
  expect(substitute("${containerWorkspaceFolder} ${containerWorkspaceFolderBasename}", reading)).toBe(
    "/workspaces/demo demo",
  );
});

test("a container folder that names itself stays as it is", () => {
  const context = { containerWorkspaceFolder: "/x/${containerWorkspaceFolder}" };
  expect(substitute("${containerWorkspaceFolder}", context)).toBe("/x/${containerWorkspaceFolder}");
});

test("what is unknown, or not known yet, stays verbatim", () => {
  const text = "${nonsense} ${nonsense:x} ${} $HOME ${devcontainerId} ${containerEnv:PATH} ${localEnv:X";
  expect(substitute(text, reading)).toBe(text);
  const later = "${localEnv:HOME} ${localWorkspaceFolder} ${localWorkspaceFolderBasename} ${containerWorkspaceFolder}";
  expect(substitute(later, { devcontainerId: "id" })).toBe(later);
});

test("later passes replace the id and the container's environment", () => {
  expect(substitute("v-${devcontainerId}", { devcontainerId: "0abc" })).toBe("v-0abc");
  const containerEnv = { PATH: "/bin" };
  expect(substitute("${containerEnv:PATH}:${containerEnv:NO:/x}:${containerEnv:NO}", { containerEnv })).toBe(
    "/bin:/x:",
  );
});

test("a replacement is not read again", () => {
  expect(substitute("${localEnv:A}", { localEnv: { A: "${localEnv:B} $& $1", B: "b" } })).toBe("${localEnv:B} $& $1");
});

test("on Windows variables are found in any case and folders end at either slash", () => {
  const context = { platform: "win32", localEnv: { Path: "C:\\bin" }, localWorkspaceFolder: "C:\\src\\demo" };
  expect(substitute("${localEnv:PATH}", context)).toBe("C:\\bin");
  expect(substitute("${localWorkspaceFolderBasename}", context)).toBe("demo");
  expect(substitute("${localEnv:PATH}", { ...context, platform: "linux" })).toBe("");
});

test("an environment variable without a name is an error", () => {
  for (const text of ["${localEnv}", "${env}"]) {
    expect(() => substitute(`a ${text}`, reading)).toThrow(
      `'${text}' can not be resolved because no environment variable name is given.`,
    );
  }
  expect(() => substitute("${containerEnv}", { containerEnv: {} })).toThrow("no environment variable name is given");
});
