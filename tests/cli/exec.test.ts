import { expect, test } from "bun:test";
import { exec } from "../../src/cli/exec.ts";
import { checkExecFlags, EXEC_FLAGS, readExecRequest } from "../../src/cli/exec-flags.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { shell } from "../../src/cli/shell.ts";
import { createFakeTools, createRecordingRuntime } from "../fakes/recording-runtime.ts";

const tools = createFakeTools(createRecordingRuntime("docker", {}), "/home/user/project");
const parse = (...argv: string[]) => parseFlags(EXEC_FLAGS, argv, exec.positionals);
const request = (...argv: string[]) => readExecRequest(parse(...argv), ["true"], tools);

test("from the first word on everything is the command's", () => {
  const words = ["npm", "test", "--", "--workspace-folder", "x", "--help"];
  expect(parse("--workspace-folder", "w", "--remote-env", "A=b", ...words).positionals).toEqual(words);
  expect(parse("--", "--odd").positionals).toEqual(["--odd"]);
});

test("without a container's name the current folder's is meant", () => {
  expect(request().target).toEqual({
    workspaceFolder: "/home/user/project",
    configPath: undefined,
    overrideConfigPath: undefined,
    containerId: undefined,
    idLabels: {},
    dockerPath: undefined,
    mountFlags: { gitRoot: true, worktreeCommonDirectory: false, consistency: undefined },
  });
});

test("a container named by id or labels needs no project", () => {
  expect(request("--container-id", "abc").target).toMatchObject({ containerId: "abc", workspaceFolder: undefined });
  expect(request("--id-label", "a=b", "--id-label", "c=d=e").target).toMatchObject({
    idLabels: { a: "b", c: "d=e" },
    workspaceFolder: undefined,
  });
});

test("paths are resolved against the current folder", () => {
  const { target } = request("--workspace-folder", "..", "--config", "x.json", "--override-config", "/o.json");
  expect(target).toMatchObject({
    workspaceFolder: "/home/user",
    configPath: "/home/user/project/x.json",
    overrideConfigPath: "/o.json",
  });
});

test("variables are split at the first equals sign and may be empty", () => {
  expect(request("--remote-env", "A=b=c", "--remote-env", "EMPTY=").remoteEnv).toEqual({ A: "b=c", EMPTY: "" });
});

test("the log's events come from a terminal of the size that is given", () => {
  expect(request().events).toBeUndefined();
  expect(request("--log-format", "json").events).toEqual({ columns: 80, rows: 24 });
  const size = ["--terminal-columns", "100", "--terminal-rows", "50"];
  expect(request("--log-format", "json", ...size).events).toEqual({ columns: 100, rows: 50 });
});

test.each([
  [["--id-label", "name"], "id-label must match <name>=<value>"],
  [["--remote-env", "=value"], "remote-env must match <name>=<value>"],
  [["--terminal-columns", "80"], "Implications failed:\n terminal-columns -> terminal-rows"],
  [["--default-user-env-probe", "sometimes"], "Invalid values:"],
  [["--detach"], "Unknown argument: detach"],
])("%j is refused", (argv, message) => {
  expect(() => checkExecFlags(parse(...argv, "true"))).toThrow(message);
});

test("exec without a command says where to write it", async () => {
  await expect(exec.run(parse(), tools)).rejects.toThrow("No command to run was given.");
});

test("shell takes no words", () => {
  expect(() => parseFlags(shell.flags, ["bash"], shell.positionals)).toThrow("Unknown argument: bash");
});
