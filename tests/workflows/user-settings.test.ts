import { expect, test } from "bun:test";
import { join } from "node:path";
import { readUserSettings } from "../../src/workflows/user-settings.ts";
import { withHome } from "./diagnose-tools.ts";

test("without a file of the user's nothing is set", async () => {
  await withHome({}, async (_home, toolsWith) => {
    expect(readUserSettings(toolsWith({}))).toEqual({ dockerPath: undefined, hostCommands: undefined });
  });
});

test("the engine and the host's commands are read from every file of the user's, as cooper config shows them", async () => {
  const files = {
    ".config/ocx/ocx.json": '{"docker_path": "podman", "host_commands": true}',
    ".config/cooper/config.jsonc": '{"host_commands": false, "docker_path": null}',
  };
  await withHome(files, async (_home, toolsWith) => {
    expect(readUserSettings(toolsWith({}))).toEqual({ dockerPath: "podman", hostCommands: false });
  });
});

test("a value of the wrong kind is told with its place; another key's is no matter here", async () => {
  const files = { ".config/cooper/config.jsonc": '{"memory": 3,\n  "docker_path": 4}' };
  await withHome(files, async (home, toolsWith) => {
    expect(() => readUserSettings(toolsWith({}))).toThrow(
      `${join(home, ".config/cooper/config.jsonc")}:2:18: docker_path is 4; wanted a path.`,
    );
  });
  await withHome({ ".config/cooper/config.jsonc": '{"memory": 3}' }, async (_home, toolsWith) => {
    expect(readUserSettings(toolsWith({})).dockerPath).toBeUndefined();
  });
});
