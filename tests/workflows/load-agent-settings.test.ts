import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateDirectory } from "../../src/store/directories.ts";
import { isTrusted, listTrusted, revokeTrust, trustFile } from "../../src/store/project-trust.ts";
import { isHeld, readAgentSettings } from "../../src/workflows/load-agent-settings.ts";
import type { Tools } from "../../src/workflows/tools.ts";
import { withHome } from "./diagnose-tools.ts";

function read(home: string, tools: Tools) {
  return readAgentSettings(join(home, "project"), tools);
}

test("the user's files, the project's and the environment count in this order, ocx.json before cooper's own", async () => {
  const files = {
    ".config/ocx/ocx.json":
      '{"memory": "1g", "cpus": 2, "pids_limit": 11, "tmp_size": "1m", "workspace_tmp_size": "1m"}',
    ".config/cooper/config.jsonc":
      '{"cpus": 3, "pids_limit": 12, "tmp_size": "2m", "workspace_tmp_size": "2m"} // mine',
    "project/ocx.json": '{"pids_limit": 10, "tmp_size": "3m", "workspace_tmp_size": "3m"}',
    "project/cooper.jsonc": '{"tmp_size": "4m", "workspace_tmp_size": "4m",}',
  };
  await withHome(files, async (home, toolsWith) => {
    const { settings, sources } = read(home, toolsWith({ COOPER_WORKSPACE_TMP_SIZE: "5m" }));
    expect(settings).toMatchObject({
      memory: "1g",
      cpus: 3,
      pids_limit: 10,
      tmp_size: "4m",
      workspace_tmp_size: "5m",
    });
    expect(sources["workspace_tmp_size"]).toEqual(["environment"]);
    expect(sources["tmp_size"]).toEqual([join(home, "project/cooper.jsonc")]);
  });
});

test("what is wrong is told with its file, line and column, or the variable's name", async () => {
  await withHome({ "project/cooper.jsonc": '{\n  "cpus": "two"\n}' }, async (home, toolsWith) => {
    expect(() => read(home, toolsWith({ OCX_MEMORY: "much" }))).toThrow(
      `${home}/project/cooper.jsonc:2:11: cpus is "two"; wanted a number.\nOCX_MEMORY: memory is "much"`,
    );
  });
});

test("a file that cannot be read is an error, as what it forbids would be allowed", async () => {
  await withHome({ "project/cooper.jsonc/x": "" }, async (home, toolsWith) => {
    expect(() => read(home, toolsWith({}))).toThrow("Could not read");
  });
});

test("a file that is a link to a device, or far too long, is refused at once", async () => {
  await withHome({ "project/x": "", "long/cooper.jsonc": " ".repeat(2_000_000) }, async (home, toolsWith) => {
    symlinkSync("/dev/zero", join(home, "project/cooper.jsonc"));
    expect(() => read(home, toolsWith({}))).toThrow("no regular file");
    expect(() => readAgentSettings(join(home, "long"), toolsWith({}))).toThrow("wanted at most");
  });
});

test("a key that is written twice is told, as only the last one counts", async () => {
  await withHome({ "project/cooper.jsonc": '{"cpus": 2,\n "cpus": 1}' }, async (home, toolsWith) => {
    const { settings, warnings } = read(home, toolsWith({}));
    expect(settings.cpus).toBe(1);
    expect(warnings).toEqual([
      `${home}/project/cooper.jsonc:2:2: cpus is written more than once; the last one counts.`,
    ]);
  });
});

const HOSTILE = '{"network": "host", "env_file": "~/.aws/credentials", "uid": 0, "host_commands": true}';

test("a hostile project gets nothing until it is trusted, and nothing again once a byte of it changes", async () => {
  await withHome({ "project/cooper.jsonc": HOSTILE }, async (home, toolsWith) => {
    const tools = toolsWith({});
    const path = join(home, "project/cooper.jsonc");
    const before = read(home, tools);
    expect(before.settings).toMatchObject({ network: "bridge", env_file: "ocx.env", uid: null, host_commands: null });
    expect(before.warnings).toHaveLength(4);
    expect(before.warnings[0]).toStartWith(`${path}:1:13: network is ignored: only a trusted project may set it`);
    trustFile(stateDirectory(tools), { path, text: HOSTILE });
    expect(read(home, tools).settings).toMatchObject({ network: "host", uid: 0, host_commands: null });
    writeFileSync(path, `${HOSTILE}\n`);
    expect(read(home, tools).settings.network).toBe("bridge");
  });
});

test("trust is one user's: private files in the state directory, that can be listed and taken back", async () => {
  await withHome({ "project/cooper.jsonc": HOSTILE }, async (home, toolsWith) => {
    const state = stateDirectory(toolsWith({}));
    const path = join(home, "project/cooper.jsonc");
    trustFile(state, { path, text: HOSTILE });
    const folder = join(state, "trusted");
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600]);
    expect(listTrusted(state)).toEqual([{ path, trusted: true }]);
    expect([revokeTrust(state, path), revokeTrust(state, path)]).toEqual([true, false]);
    expect(listTrusted(state)).toEqual([]);
  });
});

test("a link to another project's trusted file, or a copy of it, is not trusted", async () => {
  await withHome({ "trusted/cooper.jsonc": HOSTILE, "copy/cooper.jsonc": HOSTILE }, async (home, toolsWith) => {
    const tools = toolsWith({});
    const state = stateDirectory(tools);
    trustFile(state, { path: join(home, "trusted/cooper.jsonc"), text: HOSTILE });
    mkdirSync(join(home, "hostile"));
    symlinkSync("../trusted/cooper.jsonc", join(home, "hostile/cooper.jsonc"));
    for (const folder of ["hostile", "copy"]) {
      const path = join(home, folder, "cooper.jsonc");
      expect(isTrusted(state, { path, text: readFileSync(path, "utf8") })).toBe(false);
      expect(readAgentSettings(join(home, folder), tools).settings.network).toBe("bridge");
    }
  });
});

test("an untrusted project's file of variables may be no link out of it, by whatever name", async () => {
  const files = { "project/cooper.jsonc": '{"env_file": "vars"}', "secret.env": "TOKEN=canary" };
  await withHome(files, async (home, toolsWith) => {
    symlinkSync("../secret.env", join(home, "project/vars"));
    symlinkSync("../secret.env", join(home, "project/ocx.env"));
    expect(read(home, toolsWith({})).settings.env_file).toBe("ocx.env");
    expect(isHeld("ocx.env", join(home, "project"))).toBe(false);
    expect(isHeld("other.env", join(home, "project"))).toBe(true);
  });
});
