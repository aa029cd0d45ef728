import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import { imageOf, openScene } from "./workspace.ts";

const listedSchema = v.array(
  v.object({
    where: v.string(),
    id: v.string(),
    names: v.array(v.string()),
    created: v.nullable(v.string()),
    size: v.number(),
    what: v.looseObject({ kind: v.string() }),
    reason: v.optional(v.string()),
  }),
);
const prunedSchema = v.object({
  outcome: v.literal("success"),
  dryRun: v.boolean(),
  removed: listedSchema,
  kept: listedSchema,
  freed: v.number(),
});

for (const name of ["docker", "docker-containerd", "podman"] as const) {
  describeEngine(name, (engine) => imageTests(engine));
}

function imageTests(engine: TestEngine) {
  const scene = openScene();
  const label = `cooper.test=${scene.id}`;
  const where = engine.name === "podman" ? "podman" : "docker";
  const home = scene.directory("home");
  afterAll(async () => {
    for (const id of await ownImages()) await askEngine(engine, ["rmi", "--force", id]);
  });

  /** The ids of the images that this test made. */
  async function ownImages(): Promise<ReadonlySet<string>> {
    const list = ["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", `label=${label}`];
    // Podman fails when somebody else's image is removed while it lists them.
    const text = await runEngine(engine, list).catch(() => runEngine(engine, list));
    return new Set(text.split("\n").filter(Boolean));
  }

  /** The real engine, which lists no other image than this test's: others may be at work on it. */
  function narrowed(): TestEngine {
    const path = join(scene.directory("client"), "client");
    const lines = [
      "#!/bin/sh",
      `[ "$1 $2" = "image ls" ] || exec "${engine.path}" "$@"`,
      `own=$("${engine.path}" image ls --quiet --no-trunc --filter label=${label})`,
      `all=$("${engine.path}" "$@") || exit $?`,
      `[ -z "$own" ] || echo "$all" | grep -Fx "$own"`,
      "exit 0",
    ];
    writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o755 });
    return { ...engine, path };
  }
  const client = narrowed();
  const image = (...args: string[]) => runCooper(["image", ...args], { engine: client, home });
  const list = async (...args: string[]) =>
    v.parse(listedSchema, JSON.parse((await image("list", "--json", ...args)).stdout));
  const pruneAsTold = async (...args: string[]) =>
    v.parse(prunedSchema, JSON.parse((await image("prune", "--json", ...args)).stdout));
  const prune = async (...args: string[]) => {
    const own = [...(await ownImages())].map((id) => id.replace("sha256:", ""));
    const strange = (await pruneAsTold("--dry-run", ...args)).removed.filter(({ id }) => !own.includes(id));
    if (strange.length > 0) throw new Error("the client lists images that are not this test's");
    return pruneAsTold(...args);
  };
  const namesOf = (images: readonly { readonly names: readonly string[] }[]) => images.flatMap(({ names }) => names);
  const exists = async (reference: string) => (await askEngine(engine, ["image", "inspect", reference])).exitCode === 0;

  /** A project, built as it is with `variable`. */
  async function build(folder: string, variable: string): Promise<string> {
    const json = { image: BASE_IMAGE, containerEnv: { VARIABLE: variable } };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, ".devcontainer.json"), JSON.stringify(json));
    return imageOf(await scene.build({ kind: "BuildKit", engine, flags: [] }, folder, { args: ["--label", label] }));
  }

  test("an image that a newer one superseded is pruned once no container uses it, and nothing else is", async () => {
    const folder = scene.workspace({});
    const older = await build(folder, "one");
    const given = scene.imageName(engine, "given");
    await runEngine(engine, ["tag", older, given]);
    const newer = await build(folder, "two");
    const users = scene.imageName(engine, "users");
    const dockerfile = `FROM ${older}\nRUN echo ${scene.id} >/users\n`;
    await runEngine(engine, ["build", "-t", users, "-"], { stdin: dockerfile });
    expect((await list()).filter(({ names }) => names.includes(newer))).toMatchObject([
      { where, what: { kind: "dev-container" }, created: expect.stringMatching(/^2/), size: expect.any(Number) },
    ]);
    expect(namesOf(await list())).not.toContain(`${users}:latest`);

    // A name that somebody gave keeps it.
    expect((await prune()).removed).toEqual([]);
    await runEngine(engine, ["rmi", given]);
    const container = (await runEngine(engine, ["create", older, "true"])).trim();
    const [held] = (await prune()).kept;
    expect(held).toMatchObject({ names: [older], reason: expect.stringContaining("in use by ") });
    await runEngine(engine, ["rm", container]);

    expect(namesOf((await prune("--dry-run")).removed)).toEqual([older]);
    expect(await exists(older)).toBe(true);
    expect((await prune("--until", "24h")).removed).toEqual([]);
    expect(namesOf((await prune()).removed)).toEqual([older]);
    expect([await exists(older), await exists(newer), await exists(users)]).toEqual([false, true, true]);
  });

  // With containerd, docker forgets such an image by itself.
  test.skipIf(engine.name === "docker-containerd")(
    "an image that lost its name is listed without one, and pruned",
    async () => {
      const name = scene.imageName(engine, "moving");
      const write = (text: string) =>
        runEngine(engine, ["build", "-t", name, "-"], {
          stdin: `FROM ${BASE_IMAGE}\nRUN echo ${text} ${scene.id} >/x\nLABEL ${label} dev.cooper.plan=${text.repeat(8)}\n`,
        });
      await write("one");
      await write("two");
      expect((await list()).filter(({ names }) => names.length === 0)).toHaveLength(1);
      expect((await image("list")).stdout).toContain("<none>");
      expect((await prune()).removed).toMatchObject([{ where, names: [] }]);
      expect((await list()).filter(({ names }) => names.length === 0)).toEqual([]);
      expect(await exists(name)).toBe(true);
    },
  );

  test("images are told apart by their agent, and so are their bases", async () => {
    const base = scene.imageName(engine, "base");
    const labelled = (labels: string) => `FROM ${BASE_IMAGE}\nRUN echo ${labels} >/labels\nLABEL ${label} ${labels}\n`;
    await runEngine(engine, ["build", "-t", base, "-"], { stdin: labelled("dev.cooper.plan=base") });
    const agent = scene.imageName(engine, "agent");
    const labels = `dev.cooper.plan=agent dev.cooper.agent=codex dev.cooper.agent.version=1.2.3 dev.cooper.agent.base=${base}`;
    await runEngine(engine, ["build", "-t", agent, "-"], { stdin: labelled(labels) });
    expect(namesOf(await list("--agent", "codex"))).toEqual([`${agent}:latest`]);
    expect(await list("--agent", "opencode")).toEqual([]);
    expect(namesOf(await list("--base", "--agent", "codex"))).toEqual([`${base}:latest`]);
    const line = (await image("list", "--agent", "codex")).stdout.split("\n")[1];
    expect(line).toMatch(new RegExp(`^${agent}:latest +[0-9a-f]{12} +20\\d\\d-.* ${where} +agent codex 1\\.2\\.3$`));
  });

  test("what cooper made is removed by name or id; what it did not make stays", async () => {
    const made = await build(scene.workspace({}), "removed");
    expect((await image("rm", made)).stdout).toContain(JSON.stringify({ where, name: made }));
    expect(await exists(made)).toBe(false);
    const again = await build(scene.workspace({}), "removed again");
    const [{ id } = { id: "" }] = (await list()).filter(({ names }) => names.includes(again));
    expect((await image("rm", id.slice(0, 12))).exitCode).toBe(0);
    expect(await exists(again)).toBe(false);

    const foreign = scene.imageName(engine, "foreign");
    await runEngine(engine, ["tag", BASE_IMAGE, foreign]);
    const kept = await build(scene.workspace({}), "kept");
    const refused = await image("rm", kept, foreign);
    expect([refused.exitCode, JSON.parse(refused.stdout).message]).toEqual([
      1,
      `${foreign} was not made by cooper: it is not removed from ${client.path}.`,
    ]);
    expect([await exists(foreign), await exists(kept)]).toEqual([true, true]);
    const absent = await image("rm", `localhost/none-${scene.id}`);
    expect(JSON.parse(absent.stdout).message).toContain("has an image called localhost/none-");
  });

  test("an image in use cannot be removed, and the engine's reason is told", async () => {
    const used = await build(scene.workspace({}), "used");
    const container = (await runEngine(engine, ["create", used, "true"])).trim();
    try {
      const { exitCode, stdout } = await image("rm", used);
      expect([exitCode, JSON.parse(stdout).message]).toEqual([
        1,
        expect.stringMatching(/Could not remove .*(?:in use|using)/s),
      ]);
      expect(await exists(used)).toBe(true);
    } finally {
      await runEngine(engine, ["rm", container]);
    }
  });

  test("an image of the engine goes into the store, runs from there, and is removed there alone", async () => {
    const made = await build(scene.workspace({}), "stored");
    expect((await image("copy", `engine:${made}`, `store:${made}`)).exitCode).toBe(0);
    expect((await list("--store")).map((found) => [found.where, found.names, found.what.kind])).toEqual([
      ["store", [made], "dev-container"],
    ]);
    expect((await image("rm", `engine:${made}`)).exitCode).toBe(0);
    expect(await exists(made)).toBe(false);
    expect((await image("copy", `store:${made}`, `engine:${made}`)).exitCode).toBe(0);
    expect(await runEngine(engine, ["run", "--rm", made, "sh", "-c", "echo runs"])).toBe("runs\n");
    expect((await image("rm", "--store", made)).exitCode).toBe(0);
    expect([await exists(made), (await list("--store")).length]).toEqual([true, 0]);
  });
}
