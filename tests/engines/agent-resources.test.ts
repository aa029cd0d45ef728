import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { openAgentScene, whyNoAgents } from "./agent-scene.ts";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(whyNoAgents !== undefined)(`what agents use${whyNoAgents ?? ""}`, () => tests(engine));
  });
}

const volumesSchema = v.array(
  v.strictObject({
    name: v.string(),
    project: v.string(),
    workspaceFolder: v.nullable(v.string()),
    usedBy: v.array(v.string()),
    size: v.nullable(v.string()),
  }),
);

function tests(engine: TestEngine) {
  const { project, cooper, start, keepVolume, id: word } = openAgentScene(engine);

  async function volumesIn(folder: string, args: readonly string[] = []) {
    const { stdout } = await cooper(folder, ["volume", "list", "--json", ...args]);
    return v.parse(volumesSchema, JSON.parse(stdout));
  }

  test("stats has the running containers of the folder, and with --all of every one", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    const none = await cooper(folder, ["stats"]);
    expect(none).toMatchObject({ exitCode: 0, stdout: "" });
    expect(none.stderr).toContain("Nothing runs.");
    expect((await cooper(folder, ["stats", "--json"])).stdout).toBe("[]\n");

    const { id } = await start(folder);
    const [told, ...others] = JSON.parse((await cooper(folder, ["stats", "--json"])).stdout);
    expect(others).toEqual([]);
    expect(told).toMatchObject({ containerId: id, kind: "agent", agent: "opencode", workspaceFolder: folder });
    expect(told.memory).toMatch(/^[\d.]+[kKMG]i?B \/ [\d.]+[MG]i?B$/);
    expect(told.processes).toBeGreaterThan(0);
    expect(told.cpuPercent).toBeNumber();
    expect((await cooper(folder, ["stats"])).stdout).toMatch(
      new RegExp(`^CONTAINER .*\\n${id.slice(0, 12)}  agent opencode  ocx-`),
    );
    const elsewhere = project({});
    expect((await cooper(elsewhere, ["stats", "--json"])).stdout).toBe("[]\n");
    expect((await cooper(elsewhere, ["stats", "--json", "--all"])).stdout).toContain(id);
    expect((await cooper(folder, ["stats", "--json", "--agent", "codex"])).stdout).toBe("[]\n");
    await cooper(folder, ["stop"]);
  });

  test("containers that end while they are measured do not hide the others", async () => {
    const folder = project({});
    const labels = [`--label=dev.cooper.agent=opencode`, `--label=dev.cooper.agent.workspace=${folder}`];
    const run = (...words: string[]) => runEngine(engine, ["run", "--rm", ...labels, ...words]);
    const id = (await run("-d", BASE_IMAGE, "sleep", "120")).trim();
    let ends = false;
    const passing = (async () => {
      while (!ends) await run(BASE_IMAGE, "sleep", "0.7");
    })();
    try {
      for (let round = 0; round < 2; round += 1) {
        const { stdout, stderr } = await cooper(folder, ["stats", "--json"]);
        expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringContaining(id) });
      }
    } finally {
      ends = true;
      await passing;
      await askEngine(engine, ["kill", id]);
    }
  });

  test("data volumes are labelled as they are made, listed with their project, and stay while an agent has them", async () => {
    const base = `test-${word}`;
    const names = [`${base}-cache`, `${base}-local`];
    for (const volume of names) keepVolume(volume);
    const folder = project({ custom_base_image: BASE_IMAGE, data_volumes_mode: "git" });
    const env = { COOPER_DATA_VOLUMES_NAME: base };
    await start(folder, env);
    // The name is the user's; the label alone says that these are cooper's and this project's.
    const listed = (await volumesIn(folder, ["--all"])).filter(({ project: of }) => of === base);
    expect(listed.map(({ name }) => name)).toEqual(names);
    for (const { workspaceFolder, usedBy, size } of listed) {
      expect(workspaceFolder).toBe(folder);
      expect(usedBy).toEqual([expect.stringMatching(/^ocx-/)]);
      expect(size).toMatch(/^\d/);
    }
    expect((await volumesIn(project({}))).filter(({ project: of }) => of === base)).toEqual([]);
    const used = await cooper(folder, ["volume", "rm", ...names]);
    expect(used.exitCode).toBe(1);
    expect(used.stderr).toMatch(/The volume test-\w+-cache is in use by ocx-/);
    const kept = await cooper(folder, ["volume", "prune", "--force"], env);
    expect(JSON.parse(kept.stdout)).toEqual({ outcome: "success", removed: [] });
    expect(kept.stderr).toMatch(/test-\w+-cache stays: ocx-.* has it\./);

    await cooper(folder, ["stop"]);
    expect(JSON.parse((await cooper(folder, ["volume", "rm", names[0] ?? ""])).stdout)).toEqual({
      outcome: "success",
      removed: [names[0]],
    });
    expect(JSON.parse((await cooper(folder, ["volume", "rm", names[0] ?? ""])).stdout)).toMatchObject({ removed: [] });
    const asked = await cooper(folder, ["volume", "prune"], env);
    expect(asked.exitCode).toBe(1);
    expect(asked.stderr).toContain("there is no terminal");
    const pruned = await cooper(folder, ["volume", "prune", "--force"], env);
    expect(JSON.parse(pruned.stdout)).toEqual({ outcome: "success", removed: [names[1]] });
    expect((await askEngine(engine, ["volume", "inspect", names[1] ?? ""])).exitCode).not.toBe(0);
  });

  test("a volume without a label is this project's by its name alone, and nobody else's is touched", async () => {
    const folder = project({ data_volumes_mode: "git" });
    const other = `other-${word}`;
    keepVolume(other);
    await runEngine(engine, ["volume", "create", other]);
    Bun.spawnSync(["git", "-C", folder, "remote", "add", "origin", `https://user:secret@example.com/a/${word}.git`]);
    const old = `ocx-git-example-com-a-${word}-local`;
    keepVolume(old);
    await runEngine(engine, ["volume", "create", old]);
    expect(await volumesIn(folder)).toEqual([
      {
        name: old,
        project: `ocx-git-example-com-a-${word}`,
        workspaceFolder: null,
        usedBy: [],
        size: expect.stringMatching(/^\d/),
      },
    ]);
    expect(await volumesIn(project({}))).toEqual([]);
    const foreign = await cooper(folder, ["volume", "rm", old, other]);
    expect(foreign.stderr).toContain(`The volume ${other} is none of cooper's data volumes.`);
    expect(await volumesIn(folder)).toHaveLength(1);
    const pruned = await cooper(folder, ["volume", "prune", "--force"]);
    expect(JSON.parse(pruned.stdout)).toEqual({ outcome: "success", removed: [old] });
    expect((await askEngine(engine, ["volume", "inspect", other])).exitCode).toBe(0);
  });
}
