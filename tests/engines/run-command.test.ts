import { afterAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mergeMetadata } from "../../src/devcontainer/merge.ts";
import type { MetadataEntry } from "../../src/devcontainer/metadata-label.ts";
import { type ContainerPlanInput, planContainer } from "../../src/plan/plan-container.ts";
import { type ContainerDetails, readContainerInspection } from "../../src/runtime/container-details.ts";
import { runCommand } from "../../src/runtime/run-command.ts";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";

const started: { engine: TestEngine; id: string }[] = [];
afterAll(async () => {
  for (const { engine, id } of started) {
    // Podman would first wait for what ignores SIGTERM.
    await askEngine(engine, ["kill", id]);
    await askEngine(engine, ["rm", "--force", "--volumes", id]);
  }
});

/** Plans a container of these entries, starts it, and tells what the engine says of it. */
async function start(
  engine: TestEngine,
  entries: readonly MetadataEntry[],
  changes: Partial<ContainerPlanInput> = {},
): Promise<ContainerDetails> {
  const spec = planContainer({
    image: { reference: BASE_IMAGE, user: "", entrypoint: [], command: ["bash"] },
    config: {},
    merged: mergeMetadata(entries),
    workspace: { workspaceMount: "", additionalMount: undefined },
    idLabels: { "dev.cooper.test": randomBytes(5).toString("hex") },
    mounts: [],
    gpus: false,
    metadata: entries,
    host:
      engine.name === "podman"
        ? { kind: "podman", linux: true, rootless: process.getuid?.() !== 0 }
        : { kind: "docker" },
    ...changes,
  });
  const { args } = runCommand(engine.path, spec);
  const id = (await runEngine(engine, ["run", "--network=none", ...args.slice(1)])).trim();
  started.push({ engine, id });
  return inspect(engine, id);
}

async function inspect(engine: TestEngine, id: string): Promise<ContainerDetails> {
  const [details] = readContainerInspection(await runEngine(engine, ["inspect", "--type", "container", id]));
  if (details === undefined) throw new Error(`there is no container ${id}`);
  return details;
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    test("what was planned is what the engine tells of the container", async () => {
      const entries: MetadataEntry[] = [
        {
          containerEnv: { GREETING: "a b=c $HOME \"'" },
          containerUser: "nobody",
          mounts: [{ type: "tmpfs", target: "/c" }, "type=volume,target=/v"],
        },
      ];
      const labels = { "dev.cooper.test": 'a "b" $c' };
      const details = await start(engine, entries, { idLabels: labels });
      expect(details).toMatchObject({
        status: "running",
        user: "nobody",
        env: { GREETING: "a b=c $HOME \"'" },
        labels: { ...labels, "devcontainer.metadata": JSON.stringify(entries) },
        entrypoint: ["/bin/sh"],
      });
      expect(details.pid).toBeGreaterThan(0);
      expect(details.mounts.find(({ target }) => target === "/v")).toMatchObject({ type: "volume", writable: true });
    });

    test("entrypoints of Features run at the start, and stopping does not wait", async () => {
      const { id } = await start(engine, [
        { id: "./a", entrypoint: "echo one >>/started" },
        { id: "./b", entrypoint: "echo two >>/started" },
      ]);
      const wait = "until grep -q two /started; do sleep 0.1; done; cat /started";
      expect(await runEngine(engine, ["exec", id, "sh", "-c", wait])).toBe("one\ntwo\n");
      await runEngine(engine, ["stop", "--time", "30", id]);
      expect(await inspect(engine, id)).toMatchObject({ status: "exited", exitCode: 0, pid: undefined });
    });

    test("the image's own command runs behind the entrypoints when it is not overridden", async () => {
      const image = {
        reference: BASE_IMAGE,
        user: "",
        entrypoint: ["/bin/sh", "-c"],
        command: ["cat /entry >/own; sleep 300"],
      };
      const entries = [{ id: "./a", entrypoint: "echo entry >/entry" }, { overrideCommand: false }];
      const { id } = await start(engine, entries, { image });
      expect(await runEngine(engine, ["exec", id, "sh", "-c", "until [ -s /own ]; do sleep 0.1; done; cat /own"])).toBe(
        "entry\n",
      );
    });
  });
}
