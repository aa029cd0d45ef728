import { expect, test } from "bun:test";
import { chownSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { openShellScene } from "./agent-shell.ts";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";
import { writeFiles } from "./workspace.ts";

const toldSchema = v.object({
  container: v.string(),
  image: v.string(),
  user: v.string(),
  mounts: v.array(
    v.object({ type: v.string(), source: v.optional(v.string(), ""), target: v.string(), mode: v.string() }),
  ),
  environment: v.object({
    set: v.record(v.string(), v.string()),
    passed: v.array(v.string()),
    files: v.array(v.object({ path: v.string(), names: v.array(v.string()) })),
  }),
  ports: v.array(v.object({ host: v.string(), container: v.number() })),
  network: v.string(),
  hostNames: v.record(v.string(), v.string()),
  capabilities: v.array(v.string()),
  privilegeEscalation: v.boolean(),
  readOnlyRoot: v.boolean(),
  limits: v.object({ memory: v.string(), cpus: v.number(), pids: v.number() }),
});

const list = v.nullish(v.array(v.string()), []);
const foundSchema = v.object({
  Name: v.string(),
  Mounts: v.array(
    v.object({
      Type: v.string(),
      Name: v.optional(v.string(), ""),
      Source: v.optional(v.string(), ""),
      Destination: v.string(),
      RW: v.boolean(),
    }),
  ),
  EffectiveCaps: list,
  BoundingCaps: list,
  Config: v.object({ Env: v.array(v.string()), User: v.string() }),
  HostConfig: v.object({
    NetworkMode: v.string(),
    PortBindings: v.nullish(v.record(v.string(), v.array(v.object({ HostIp: v.string(), HostPort: v.string() }))), {}),
    Tmpfs: v.nullish(v.record(v.string(), v.string()), {}),
    ExtraHosts: list,
    CapAdd: list,
    CapDrop: list,
    SecurityOpt: list,
    Privileged: v.boolean(),
    ReadonlyRootfs: v.boolean(),
    Devices: v.nullish(v.array(v.unknown()), []),
    PidMode: v.string(),
    IpcMode: v.string(),
    UTSMode: v.string(),
    Memory: v.number(),
    NanoCpus: v.number(),
    PidsLimit: v.number(),
  }),
});

const nameOf = (entry: string) => entry.split("=")[0] ?? "";
const sorted = (texts: readonly string[]) => [...new Set(texts)].toSorted();

/** What preflight told, in the words of the comparison. */
function toldOf(told: v.InferOutput<typeof toldSchema>) {
  const { environment, limits } = told;
  return {
    name: told.container,
    user: told.user,
    mounts: sorted(told.mounts.map(({ type, source, target, mode }) => `${type} ${source} ${target} ${mode}`)),
    environment: sorted([
      ...Object.keys(environment.set),
      ...environment.passed,
      ...environment.files.flatMap(({ names }) => names),
    ]),
    ports: told.ports.map(({ host, container }) => `${host}:${container}/tcp`),
    network: told.network,
    hostNames: sorted(Object.entries(told.hostNames).map(([name, address]) => `${name}:${address}`)),
    capabilities: told.capabilities,
    privilegeEscalation: told.privilegeEscalation,
    readOnlyRoot: told.readOnlyRoot,
    limits: [limits.memory, limits.cpus, limits.pids],
    beyond: "nothing",
  };
}

/** What a container has, in the same words; of its environment what neither its image nor the engine itself gives it. */
async function foundOf(engine: TestEngine, { id, image }: { readonly id: string; readonly image: string }) {
  const [container] = v.parse(v.tuple([foundSchema]), JSON.parse(await runEngine(engine, ["inspect", id])));
  const { Config, HostConfig: host } = container;
  const own = v.parse(
    v.array(v.string()),
    JSON.parse(await runEngine(engine, ["image", "inspect", "--format", "{{json .Config.Env}}", image])),
  );
  const engines = ["container", "HOSTNAME", "PATH", ...own.map(nameOf)];
  const tmpfs = Object.entries(host.Tmpfs).map(
    ([target, options]) => `tmpfs  ${target} ${options.split(",").includes("ro") ? "ro" : "rw"}`,
  );
  const mounts = container.Mounts.map(
    ({ Type, Name, Source, Destination, RW }) =>
      `${Type} ${Type === "volume" ? Name : Type === "bind" ? Source : ""} ${Destination} ${RW ? "rw" : "ro"}`,
  );
  const isDropped = host.CapDrop.includes("ALL") || (engine.name === "podman" && container.BoundingCaps.length === 0);
  const spaces = [host.PidMode, host.IpcMode, host.UTSMode].some((mode) => mode === "host");
  return {
    name: container.Name.replace(/^\//, ""),
    user: Config.User,
    mounts: sorted([...mounts, ...tmpfs]),
    environment: sorted(Config.Env.map(nameOf).filter((name) => !engines.includes(name))),
    ports: Object.entries(host.PortBindings).flatMap(([port, places]) =>
      places.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}:${port}`),
    ),
    network: host.NetworkMode,
    hostNames: sorted(host.ExtraHosts),
    capabilities: isDropped ? [...host.CapAdd, ...container.EffectiveCaps] : ["some"],
    privilegeEscalation: !host.SecurityOpt.some((option) => option.startsWith("no-new-privileges")),
    readOnlyRoot: host.ReadonlyRootfs,
    limits: [`${host.Memory / 1024 ** 2}m`, host.NanoCpus / 1e9, host.PidsLimit],
    beyond: host.Privileged || host.Devices.length > 0 || spaces ? "something" : "nothing",
  };
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openShellScene(engine);

    async function compare(folder: string, env: Readonly<Record<string, string>>) {
      const preflight = await scene.cooper(folder, ["agent", "preflight", "--json"], env);
      const told = v.parse(toldSchema, JSON.parse(preflight.stdout));
      const { id, stop } = await scene.start(folder, env);
      try {
        expect(await foundOf(engine, { id, image: told.image })).toEqual(toldOf(told));
      } finally {
        await stop();
      }
      return told;
    }

    test("what preflight tells of a usual run is what the engine tells of its container, no more and no less", async () => {
      const told = await compare(scene.project({ custom_base_image: BASE_IMAGE, memory: "512m" }), {
        HTTPS_PROXY: "http://user:password@127.0.0.1:1",
        AWS_SECRET_ACCESS_KEY: "never",
      });
      expect(told.ports).toHaveLength(1);
    });

    test("so it is of a run with every setting that changes the boundary", async () => {
      const folder = scene.project(
        {
          custom_base_image: BASE_IMAGE,
          forbidden_paths: ["secrets", ".env", "a:b"],
          read_only: true,
          cpus: 0.5,
          pids_limit: 50,
          network: "none",
          rgignore_file: "ignored",
        },
        { "secrets/a": "x", ".env": "x", "a:b/x": "x", ignored: "*.log\n", "ocx.env": "IN_PROJECT=1\n" },
      );
      Bun.spawnSync(["git", "init", "-q", folder]);
      chownSync(folder, 4321, 4321);
      writeFiles(join(scene.home, "config", "cooper"), { "agent.env": "OWN=1\nTAKEN\n" });
      const volumes = `test-${scene.id}`;
      try {
        const told = await compare(folder, {
          COOPER_DATA_VOLUMES_NAME: volumes,
          COOPER_DATA_VOLUMES_MODE: "git",
          COOPER_UID: "4321",
          COOPER_GID: "4321",
          COOPER_ENV_PASSTHROUGH: "EXTRA",
          EXTRA: "1",
          TAKEN: "1",
          OPENAI_API_KEY: "1",
        });
        expect(told.environment.passed).toEqual(["EXTRA", "OPENAI_API_KEY"]);
        expect(told.environment.files.map(({ names }) => names)).toEqual([["OWN", "TAKEN"], ["IN_PROJECT"]]);
        expect(told.mounts).toContainEqual(expect.objectContaining({ type: "volume", source: `${volumes}-cache` }));
      } finally {
        await runEngine(engine, ["volume", "rm", `${volumes}-cache`, `${volumes}-local`]);
      }
    });
  });
}
