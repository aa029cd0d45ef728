import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { config } from "../../src/cli/config.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { port } from "../../src/cli/port.ts";
import type { Tools } from "../../src/workflows/tools.ts";
import { withHome } from "../workflows/diagnose-tools.ts";

async function run(tools: Tools, argv: readonly string[], command = config) {
  const said: string[] = [];
  const printed: string[] = [];
  const terminal = { ...tools.terminal, writeData: (text: string) => printed.push(text) };
  const log = { ...tools.log, info: (text: string) => said.push(text) };
  const code = await command.run(parseFlags(command.flags, argv, command.positionals), { ...tools, terminal, log });
  return { code, said, printed: printed.join("") };
}

test("config trust says what it grants and to which value, and not what no trust grants; --list tells a file that changed", async () => {
  const text = '{"network": "host", "host_commands": true}';
  await withHome({ "cooper.jsonc": text }, async (home, toolsWith) => {
    const tools = toolsWith({});
    const path = join(home, "cooper.jsonc");
    const { said } = await run(tools, ["trust"]);
    expect(said[0]).toBe(`${path} may now set network to "host".`);
    expect(said.filter((line) => line.includes("host_commands"))).toEqual([]);
    expect((await run(tools, ["trust", "--list"])).printed).toBe(`${path}\n`);
    await Bun.write(path, `${text}\n`);
    expect(readFileSync(path, "utf8")).not.toBe(text);
    expect((await run(tools, ["trust", "--list"])).printed).toContain("not trusted");
  });
});

test("port is of the folder that the agent works in", async () => {
  await withHome({ "a/cooper.jsonc": '{"port": 40001}' }, async (home, toolsWith) => {
    const { printed } = await run(toolsWith({ OCX_WORKSPACE: join(home, "a") }), [], port);
    expect(printed).toBe("40001\n");
  });
});

test("config is of the folder that the agent works in, and its JSON has the sources and files that were asked for", async () => {
  await withHome({ "a/cooper.jsonc": '{"cpus": 0.5}' }, async (home, toolsWith) => {
    const tools = toolsWith({ OCX_WORKSPACE: join(home, "a"), COOPER_PORT: "40001" });
    const file = join(home, "a/cooper.jsonc");
    const { config: values, sources, files } = JSON.parse((await run(tools, ["--json", "--sources"])).printed);
    expect([values.cpus, values.port, values.memory]).toEqual([0.5, 40001, "1024m"]);
    expect([sources.cpus, sources.port, sources.memory]).toEqual([[file], ["environment"], ["default"]]);
    expect(files).toEqual([file]);
    expect(JSON.parse((await run(tools, ["--json"])).printed)).toEqual(values);
    expect((await run(tools, ["--sources"])).printed).toContain(`0.5  (${file})`);
  });
});
