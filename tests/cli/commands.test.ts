import { expect, test } from "bun:test";
import type { Agent } from "../../src/agent/agents.ts";
import { findAgent } from "../../src/agent/choose-variant.ts";
import { environmentValues, mergeSettings } from "../../src/agent/settings.ts";
import { settingsPage, settingsSchema } from "../../src/agent/settings-document.ts";
import { settingsTable } from "../../src/agent/settings-table.ts";
import type { CliCommand, CommandTree } from "../../src/cli/command.ts";
import { commandTree } from "../../src/cli/commands.ts";
import { renderCompletion, SHELLS } from "../../src/cli/completion-script.ts";

/** An agent that there is not: an entry and nothing else. */
const ADDED: Agent = {
  name: "wood-worker",
  title: "Woodworker",
  variants: findAgent("codex").variants,
  configFolder: ".config/wood",
  providerKeys: ["WOOD_KEY"],
};

async function commandAt(tree: CommandTree, path: readonly string[]): Promise<CliCommand> {
  const [name = "", ...rest] = path;
  const entry = tree[name];
  if (entry === undefined) throw new Error(`There is no command ${name}.`);
  return "commands" in entry ? commandAt(entry.commands, rest) : entry.load();
}

test("an agent that is added to the list has its settings, with environment, schema and documentation", () => {
  const table = settingsTable([ADDED]);
  const { settings, wrong, unknown } = mergeSettings(
    [{ name: "mine", origin: "user", values: { wood_worker_version: "1.2.3" } }],
    { isInside: () => true, table },
  );
  expect({ wrong, unknown }).toEqual({ wrong: [], unknown: [] });
  expect(settings["wood_worker_version"]).toBe("1.2.3");
  expect(settings["wood_worker_config_dir"]).toBe("~/.config/wood");
  expect(environmentValues({ COOPER_WOOD_WORKER_VERSION: "v2.0.0" }, table)).toEqual({ wood_worker_version: "v2.0.0" });
  expect(settingsSchema(table)["properties"]).toMatchObject({
    wood_worker_version: { type: ["string", "null"], default: "latest" },
    wood_worker_config_dir: { type: ["string", "null"] },
  });
  expect(settingsPage(table)).toContain('| `wood_worker_version` | `"latest"` | `COOPER_WOOD_WORKER_VERSION`');
  expect(Object.keys(table)).not.toContain("opencode_version");
});

test("an untrusted project may choose an added agent's version and not its configuration", () => {
  const values = { wood_worker_version: "1.2.3", wood_worker_config_dir: "/" };
  const { ignored } = mergeSettings([{ name: "theirs", origin: "untrusted project", values }], {
    isInside: () => true,
    table: settingsTable([ADDED]),
  });
  expect(ignored.map(({ key }) => key)).toEqual(["wood_worker_config_dir"]);
});

test("an agent that is added to the list has its command, and those that name agents name it", async () => {
  const tree = commandTree([ADDED]);
  expect((await commandAt(tree, ["wood-worker"])).description).toContain("Woodworker");
  expect((await commandAt(tree, ["o"])).name).toBe("wood-worker");
  expect(Object.keys(tree)).not.toContain("opencode");
  for (const name of ["build", "plan"])
    expect((await commandAt(tree, [name])).flags["agent"]?.choices).toEqual(["wood-worker"]);
  for (const name of ["upgrade", "preflight"])
    expect((await commandAt(tree, ["agent", name])).wordChoices).toEqual(["wood-worker"]);
});

test("an agent that is added to the list is completed in every shell", async () => {
  const tree = commandTree([ADDED]);
  const paths = [["wood-worker"], ["build"], ["agent", "upgrade"]];
  const commands = await Promise.all(paths.map(async (path) => ({ path, command: await commandAt(tree, path) })));
  for (const shell of SHELLS) {
    const script = renderCompletion(shell, { commands, groups: { agent: "Agents" } });
    expect(script.match(/wood-worker/g)?.length).toBeGreaterThanOrEqual(3);
  }
});
