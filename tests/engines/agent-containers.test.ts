import { afterAll, describe, expect, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { openAgentScene, whyNoAgents } from "./agent-scene.ts";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";
import { devcontainerJson } from "./workspace.ts";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(whyNoAgents !== undefined)(`containers of agents${whyNoAgents ?? ""}`, () => tests(engine));
  });
}

function tests(engine: TestEngine) {
  const { project, cooper, start } = openAgentScene(engine);
  const devContainers: string[] = [];
  afterAll(async () => {
    for (const id of devContainers) {
      // Podman would first wait for what ignores SIGTERM.
      await askEngine(engine, ["kill", id]);
      await askEngine(engine, ["rm", "--force", id]);
    }
  });

  /** A dev container of this folder, made by hand. */
  async function startDevContainer(folder: string): Promise<string> {
    const config = join(folder, ".devcontainer", "devcontainer.json");
    const labels = [`devcontainer.local_folder=${folder}`, `devcontainer.config_file=${config}`];
    const words = ["run", "-d", ...labels.flatMap((label) => ["--label", label])];
    const id = (
      await runEngine(engine, [...words, BASE_IMAGE, "sh", "-c", "trap exit TERM; sleep infinity & wait"])
    ).trim();
    devContainers.push(id);
    return id;
  }

  test("with no dev container, shell, exec, ps and stop are about the agent that runs in the folder", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    try {
      const none = await cooper(folder, ["exec", "true"]);
      expect(none.exitCode).toBe(1);
      expect(none.stderr).toContain("Dev container config (");
      const { id, place } = await start(folder);

      const words = ["exec", "--remote-env", "WORD=a b", "sh", "-c", 'pwd; echo "$WORD"; exit 7'];
      expect(await cooper(folder, words)).toEqual({ exitCode: 7, stdout: `${place}\na b\n`, stderr: "" });
      expect(await cooper(folder, ["shell", "--workspace-folder", link])).toMatchObject({ exitCode: 0 });
      expect((await cooper("/", ["exec", "--workspace-folder", link, "pwd"])).stdout).toBe(`${place}\n`);
      const named = await cooper(folder, ["exec", "--config", "other.json", "true"]);
      expect(named.stderr).toContain("other.json) not found");

      const [listed, ...others] = JSON.parse((await cooper(folder, ["ps", "--json"])).stdout);
      expect(listed).toMatchObject({ kind: "agent", agent: "opencode", containerId: id, workspaceFolder: folder });
      expect(others).toEqual([]);
      expect(JSON.parse((await cooper(folder, ["ps", "--json", "--agent", "codex"])).stdout)).toEqual([]);

      const stopped = await cooper(folder, ["stop"]);
      expect(JSON.parse(stopped.stdout)).toEqual({ outcome: "success", stopped: [id], agents: [listed.name] });
      expect(stopped.stderr).toContain(`Ended the agent opencode in ${listed.name}.`);
      const again = await cooper(folder, ["stop"]);
      expect(JSON.parse(again.stdout)).toEqual({ outcome: "success", stopped: [], agents: [] });
      expect(again.stderr).toContain("Nothing runs.");
    } finally {
      rmSync(link);
    }
  });

  test("with both, the dev container is meant, and --agent means the agent's", async () => {
    const folder = project(
      { custom_base_image: BASE_IMAGE },
      devcontainerJson({ image: BASE_IMAGE, workspaceFolder: "/tmp" }),
    );
    const agent = await start(folder);
    const id = await startDevContainer(folder);

    expect((await cooper(folder, ["exec", "sh", "-c", 'echo "$HOME"; command -v opencode'])).stdout).toBe("/root\n");
    for (const choice of [["--agent"], ["--agent", "opencode"], ["--agent=opencode", "--"]])
      expect((await cooper(folder, ["exec", ...choice, "pwd"])).stdout).toBe(`${agent.place}\n`);
    const other = await cooper(folder, ["exec", "--agent", "codex", "pwd"]);
    expect(other).toMatchObject({ exitCode: 1, stdout: "" });
    expect(other.stderr).toContain("cooper codex");
    const both = await cooper(folder, ["exec", "--agent", "--container-id", id, "pwd"]);
    expect(both.stderr).toContain("--agent and --container-id mean different containers.");

    const table = (await cooper(folder, ["ps"])).stdout;
    expect(table).toContain(`${id.slice(0, 12)}  dev container   `);
    expect(table).toContain(`${agent.id.slice(0, 12)}  agent opencode  `);
    const alone = JSON.parse((await cooper(folder, ["ps", "--agent", "--json"])).stdout);
    expect(alone.map(({ containerId }: { containerId: string }) => containerId)).toEqual([agent.id]);

    const first = await cooper(folder, ["stop"]);
    expect(JSON.parse(first.stdout)).toEqual({ outcome: "success", stopped: [id], agents: [] });
    expect(first.stderr).toMatch(/Still running: the agent opencode in ocx-.*; --agent ends it\./);
    // A dev container that is stopped is still the one that is meant.
    expect(JSON.parse((await cooper(folder, ["stop"])).stdout)).toMatchObject({ stopped: [] });
    const last = await cooper(folder, ["stop", "--agent"]);
    expect(JSON.parse(last.stdout)).toMatchObject({ stopped: [agent.id], agents: [expect.any(String)] });
    await runEngine(engine, ["rm", id]);
  });
}
