import { expect, test } from "bun:test";
import type { ProcessResult } from "../../src/host/spawn.ts";
import { createEngine } from "../../src/runtime/engine.ts";
import { findContainer, inspectContainers } from "../../src/workflows/find-container.ts";

const FOLDER = "devcontainer.local_folder";
const FILE = "devcontainer.config_file";
const labels = { current: { [FOLDER]: "/w", [FILE]: "/w/.devcontainer.json" }, legacy: { [FOLDER]: "/w" } };

interface Container {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly status?: string;
}

/** A stand-in for an engine, whose states (`removing`, an order of several) no real one can be held in: it filters as they do. */
function engineWith(containers: readonly Container[]) {
  const asked: string[] = [];
  const answer = (args: readonly string[]): ProcessResult => {
    asked.push(args.join(" "));
    if (args[0] === "ps") {
      const filters = args.filter((arg) => arg.startsWith("label=")).map((arg) => arg.slice("label=".length));
      const matching = containers.filter((container) =>
        filters.every((filter) =>
          Object.entries(container.labels).some(([name, value]) => `${name}=${value}` === filter),
        ),
      );
      return { exitCode: 0, stdout: matching.map(({ id }) => `${id}\n`).join(""), stderr: "" };
    }
    const wanted = args.slice(3);
    const found = containers.filter(({ id }) => wanted.includes(id));
    const stdout = JSON.stringify(
      found.map(({ id, labels: Labels, status = "running" }) => ({
        Id: id,
        Created: "2026-01-02T03:04:05Z",
        State: { Status: status },
        Config: { Labels },
      })),
    );
    const complete = found.length === wanted.length;
    return {
      exitCode: complete ? 0 : 1,
      stdout,
      stderr: complete ? "" : "Error response from daemon: No such container: x",
    };
  };
  return { engine: createEngine("docker", async ({ args }) => answer(args)), asked };
}

const ours = { [FOLDER]: "/w", [FILE]: "/w/.devcontainer.json" };
const others = { [FOLDER]: "/w", [FILE]: "/w/.devcontainer/devcontainer.json" };

test("a workspace's container is found with two questions, by the folder's label alone", async () => {
  const { engine, asked } = engineWith([
    { id: "a1", labels: others },
    { id: "b2", labels: ours },
  ]);
  const { details, idLabels } = await findContainer(engine, { kind: "workspace", labels });
  expect(details?.id).toBe("b2");
  expect(idLabels).toEqual(labels.current);
  expect(asked).toEqual([
    "ps -q -a --no-trunc --filter label=devcontainer.local_folder=/w",
    "inspect --type container a1 b2",
  ]);
});

test("a container without a configuration's label is an old one of the workspace, if there is no newer", async () => {
  const old = { id: "c3", labels: { [FOLDER]: "/w" } };
  const alone = await findContainer(engineWith([old]).engine, { kind: "workspace", labels });
  expect(alone.details?.id).toBe("c3");
  expect(alone.idLabels).toEqual(labels.legacy);
  const beside = await findContainer(engineWith([old, { id: "b2", labels: ours }]).engine, {
    kind: "workspace",
    labels,
  });
  expect(beside.details?.id).toBe("b2");
});

test("another configuration's container is not the workspace's", async () => {
  const { engine } = engineWith([{ id: "a1", labels: others }]);
  const { details, idLabels } = await findContainer(engine, { kind: "workspace", labels });
  expect(details).toBeUndefined();
  expect(idLabels).toEqual(labels.current);
});

test("without any container nothing is inspected", async () => {
  const { engine, asked } = engineWith([]);
  await findContainer(engine, { kind: "workspace", labels });
  expect(asked).toHaveLength(1);
});

test("a container that is being removed counts as gone", async () => {
  const { engine } = engineWith([
    { id: "a1", labels: ours, status: "removing" },
    { id: "b2", labels: ours, status: "exited" },
  ]);
  expect((await findContainer(engine, { kind: "workspace", labels })).details?.id).toBe("b2");
});

test("labels of one's own are all filtered by, and are the container's identity", async () => {
  const own = { team: "a", app: "x=y" };
  const { engine, asked } = engineWith([
    { id: "a1", labels: own },
    { id: "b2", labels: { team: "a" } },
  ]);
  const { details, idLabels } = await findContainer(engine, { kind: "labels", labels: own });
  expect(details?.id).toBe("a1");
  expect(idLabels).toEqual(own);
  expect(asked[0]).toBe("ps -q -a --no-trunc --filter label=team=a --filter label=app=x=y");
});

test("a container named by its id is inspected at once; what labels count follows from its own", async () => {
  const { engine, asked } = engineWith([{ id: "c3", labels: { [FOLDER]: "/w" } }]);
  const { details, idLabels } = await findContainer(engine, { kind: "id", containerId: "c3", labels });
  expect(details?.id).toBe("c3");
  expect(idLabels).toEqual(labels.legacy);
  expect(asked).toEqual(["inspect --type container c3"]);
  const anywhere = await findContainer(engine, { kind: "id", containerId: "c3", labels: undefined });
  expect(anywhere.idLabels).toEqual({});
});

test("an id that no container has is said, with what to do", async () => {
  const { engine } = engineWith([]);
  const finding = findContainer(engine, { kind: "id", containerId: "nope", labels: undefined });
  await expect(finding).rejects.toThrow('Dev container not found. There is no container "nope".');
});

test("an id cannot be an option of the engine's client", async () => {
  const { engine, asked } = engineWith([]);
  await expect(inspectContainers(engine, ["--format={{.}}"])).rejects.toThrow("is not the id of a container");
  expect(asked).toEqual([]);
});

test("an engine that does not answer is said", async () => {
  const engine = createEngine("docker", async () => ({
    exitCode: 1,
    stdout: "",
    stderr: "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
  }));
  await expect(findContainer(engine, { kind: "workspace", labels })).rejects.toThrow("docker is not running");
});
