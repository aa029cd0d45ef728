import { expect, test } from "bun:test";
import * as v from "valibot";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, type CooperResult, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import { openUpScene, runReference, type UpScene } from "./up-scene.ts";
import { type Files, localFeature } from "./workspace.ts";

/** A workspace on which both tools are to agree; `id` is a word of its own for what is named on the whole machine. */
interface Example {
  readonly name: string;
  readonly config: (id: string) => object;
  readonly files?: Files;
  /** Instructions of the image that `baseName` names. */
  readonly base?: string;
  /** The reference CLI passes --userns=keep-id, which a podman that is run by root does not take. */
  readonly notRoot?: boolean;
}

const baseName = (id: string) => `localhost/cooper-test-${id}/base`;

const HOOKS = {
  onCreateCommand: "echo create >>/order",
  updateContentCommand: ["sh", "-c", "echo update >>/order"],
  postCreateCommand: { one: "echo created >>/order", two: ["true"] },
  postStartCommand: "echo start >>/order",
  postAttachCommand: "echo attach >>/order",
};

const DOCKERFILE = { ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN useradd -m dev\nENV MADE=yes\nUSER dev\n` };

const LABEL = `LABEL devcontainer.metadata='${JSON.stringify([
  { id: "gone", privileged: true, entrypoint: "echo gone >>/entry", onCreateCommand: "echo gone >>/order" },
  { remoteEnv: { FROM: "image" }, capAdd: ["SYS_PTRACE"], overrideCommand: true },
])}'\n`;

const EXAMPLES: readonly Example[] = [
  { name: "an image alone", config: () => ({ image: BASE_IMAGE }) },
  {
    name: "an image with everything that needs no build",
    config: (id) => ({
      name: "All",
      image: BASE_IMAGE,
      ...HOOKS,
      waitFor: "postCreateCommand",
      containerEnv: { A: 'x "y" $HOME', FOLDER: "${localWorkspaceFolderBasename}", ID: "${devcontainerId}" },
      remoteEnv: { B: "${containerEnv:A}", C: "${localEnv:NO_SUCH:fallback}", NONE: null },
      containerUser: "root",
      capAdd: ["SYS_PTRACE"],
      securityOpt: ["seccomp=unconfined"],
      privileged: true,
      mounts: [`type=volume,source=first-${id},target=/first`, { type: "tmpfs", target: "/second" }],
      runArgs: ["--hostname", "dev", "--label", "own=1"],
      appPort: [],
      forwardPorts: [3000, "db:5432"],
      portsAttributes: { "3000": { label: "web" } },
      otherPortsAttributes: { onAutoForward: "ignore" },
      hostRequirements: { cpus: 1, memory: "1gb" },
      shutdownAction: "none",
      userEnvProbe: "loginShell",
      customizations: { vscode: { settings: { a: 1 }, extensions: ["x.y"] } },
    }),
  },
  {
    name: "a Dockerfile with a metadata label of its own",
    config: () => ({ dockerFile: "Dockerfile", context: "..", remoteEnv: { FROM: "configuration" } }),
    files: { ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\n${LABEL}` },
  },
  {
    name: "a prebuilt image that says what it needs",
    base: LABEL,
    config: (id) => ({
      image: baseName(id),
      remoteEnv: { FROM: "configuration" },
      onCreateCommand: "echo own >>/order",
    }),
  },
  {
    name: "a prebuilt image and a Feature",
    base: LABEL,
    config: (id) => ({ image: baseName(id), features: { "./one": {} }, mounts: ["type=tmpfs,target=/same"] }),
    files: localFeature("one", "true", { entrypoint: "echo one >>/entry", mounts: ["type=tmpfs,target=/same"] }),
  },
  {
    name: "a workspace mount of one's own",
    config: () => ({
      image: BASE_IMAGE,
      workspaceFolder: "/code",
      workspaceMount: "type=bind,source=${localWorkspaceFolder},target=/code",
    }),
  },
  { name: "no workspace mount", config: () => ({ image: BASE_IMAGE, workspaceFolder: "/srv", workspaceMount: "" }) },
  {
    name: "a Dockerfile with another user, the image's own command running",
    notRoot: true,
    config: () => ({ build: { dockerfile: "Dockerfile" }, overrideCommand: false, updateRemoteUserUID: false }),
    files: { ".devcontainer/Dockerfile": `${DOCKERFILE[".devcontainer/Dockerfile"]}CMD ["sleep", "1000"]\n` },
  },
  {
    name: "a Dockerfile and Features",
    notRoot: true,
    config: () => ({
      build: { dockerfile: "Dockerfile", args: { X: "y" } },
      features: { "./one": {}, "./two": { choice: "b" } },
      postCreateCommand: "echo config >>/tmp/order",
      updateRemoteUserUID: false,
      mounts: ["type=tmpfs,target=/same"],
    }),
    files: {
      ...DOCKERFILE,
      ...localFeature("one", "true", {
        entrypoint: "echo one >>/tmp/entry",
        postCreateCommand: "echo one >>/tmp/order",
        capAdd: ["SYS_PTRACE"],
        containerEnv: { ONE: "1" },
        mounts: [{ type: "tmpfs", target: "/same" }, "type=tmpfs,target=/other"],
        customizations: { vscode: { extensions: ["a.b"] } },
      }),
      ...localFeature("two", "true", {
        entrypoint: "echo two >>/tmp/entry",
        installsAfter: ["./one"],
        options: { choice: { type: "string", enum: ["a", "b"], default: "a" } },
      }),
    },
  },
];

const inspection = v.tuple([
  v.object({
    Config: v.object({
      Env: v.array(v.string()),
      Labels: v.record(v.string(), v.string()),
      Entrypoint: v.unknown(),
      Cmd: v.array(v.string()),
      User: v.string(),
      WorkingDir: v.string(),
      Tty: v.boolean(),
      OpenStdin: v.boolean(),
    }),
    HostConfig: v.object({
      Privileged: v.boolean(),
      CapAdd: v.nullish(v.array(v.string())),
      SecurityOpt: v.nullish(v.array(v.string())),
      Init: v.nullish(v.boolean()),
      PortBindings: v.unknown(),
      UsernsMode: v.string(),
      Tmpfs: v.nullish(v.record(v.string(), v.string())),
    }),
    Mounts: v.array(v.object({ Type: v.string(), Source: v.optional(v.string()), Destination: v.string() })),
  }),
]);

/** What the engine says of a container, but for what can only differ: its id, our tag's own label, and the script's first two lines, which ours has the other way round. */
async function facts(engine: TestEngine, id: string) {
  const [{ Config, HostConfig, Mounts }] = v.parse(inspection, JSON.parse(await runEngine(engine, ["inspect", id])));
  return {
    ...HostConfig,
    ...Config,
    Cmd: Config.Cmd.map((word) => word.replaceAll(/^(echo Container started|trap .*)?\n/gm, "")),
    Env: Config.Env.filter((entry) => !entry.startsWith("HOSTNAME=")).sort(),
    Labels: Object.fromEntries(Object.entries(Config.Labels).filter(([name]) => !name.startsWith("dev.cooper."))),
    Mounts: Mounts.toSorted((left, right) => (left.Destination < right.Destination ? -1 : 1)),
  };
}

/** What is the same for both tools: neither where Features are kept, nor the reference's maximum of no requirements at all. */
function comparable(name: string, value: unknown): unknown {
  if (name === "ociAuthDiagnostics" || name === "dstFolder" || name === "cachePath") return undefined;
  return JSON.stringify(value) === '{"cpus":null,"memory":"-Infinity","storage":"-Infinity"}' ? undefined : value;
}

async function configurationOf(run: Promise<CooperResult>): Promise<unknown> {
  const { exitCode, stdout, stderr } = await run;
  if (exitCode !== 0) throw new Error(`read-configuration failed: ${stderr}`);
  return JSON.parse(JSON.stringify(JSON.parse(stdout), comparable));
}

async function expectSameConfiguration({ engine, home }: UpScene, folder: string): Promise<void> {
  for (const include of ["--include-merged-configuration", "--include-features-configuration"]) {
    const words = ["read-configuration", "--workspace-folder", folder, include];
    const ours = await configurationOf(runCooper(words, { engine, home }));
    expect(ours).toEqual(await configurationOf(runReference(engine, words)));
  }
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openUpScene(engine);
    const { project, up, cooper, reference, inContainer } = scene;

    for (const example of EXAMPLES) {
      const cannot = name === "podman" && process.getuid?.() === 0 && example.notRoot === true;
      test.skipIf(cannot)(`both tools read and run ${example.name} alike`, async () => {
        if (example.base !== undefined) await scene.baseImage(engine, "base", example.base);
        const folder = project(example.config(scene.id), example.files);
        await expectSameConfiguration(scene, folder);
        const ours = await facts(engine, await up(folder));
        await expectSameConfiguration(scene, folder);
        await cooper("down", folder);
        const { outcome, stderr } = await reference("up", folder);
        if (outcome.outcome !== "success") throw new Error(stderr);
        expect(ours).toEqual(await facts(engine, outcome.containerId ?? ""));
        await expectSameConfiguration(scene, folder);
      });
    }

    const hooks = { image: BASE_IMAGE, ...HOOKS, remoteEnv: { WHO: "dev" } };
    const ONCE = "create\nupdate\ncreated\nstart\nattach\n";

    test("the reference finds our container, and runs no hook again that ran", async () => {
      const folder = project(hooks);
      const id = await up(folder);
      expect((await reference("up", folder)).outcome).toMatchObject({ outcome: "success", containerId: id });
      expect(await inContainer(id, "cat /order")).toBe(`${ONCE}attach\n`);
      const words = ["exec", "--workspace-folder", folder, "sh", "-c", "echo $WHO"];
      expect(await runReference(engine, words)).toMatchObject({ exitCode: 0, stdout: "dev\n" });
      expect((await reference("run-user-commands", folder)).outcome).toMatchObject({ result: "done" });
      expect(await inContainer(id, "cat /order")).toBe(`${ONCE}attach\nattach\n`);
    });

    test("we find the reference's container, and run no hook again that ran", async () => {
      const folder = project(hooks);
      const { containerId = "" } = (await reference("up", folder)).outcome;
      expect(await up(folder)).toBe(containerId);
      expect(await inContainer(containerId, "cat /order")).toBe(`${ONCE}attach\n`);
      const words = ["exec", "--workspace-folder", folder, "sh", "-c", "echo $WHO"];
      expect(await runCooper(words, { engine })).toMatchObject({ exitCode: 0, stdout: "dev\n" });
      expect((await cooper("run-user-commands", folder)).outcome).toMatchObject({ result: "done" });
      await cooper("stop", folder);
      expect(await up(folder)).toBe(containerId);
      expect(await inContainer(containerId, "cat /order")).toBe(`${ONCE}attach\nattach\nstart\nattach\n`);
      expect((await cooper("down", folder)).outcome).toMatchObject({ removed: { containers: [containerId] } });
    });

    test("a container with the old label alone is found by both", async () => {
      const folder = project(hooks);
      const label = `devcontainer.local_folder=${folder}`;
      const id = (
        await runEngine(engine, ["run", "-d", "--label", label, BASE_IMAGE, "sh", "-c", "sleep 300 & wait"])
      ).trim();
      expect(await up(folder, { args: ["--skip-post-create"] })).toBe(id);
      expect((await reference("up", folder, { args: ["--skip-post-create"] })).outcome.containerId).toBe(id);
    });

    test("both refuse the same, in the same words", async () => {
      const folder = project({ image: BASE_IMAGE });
      for (const args of [["--config", `${folder}/no/devcontainer.json`], ["--expect-existing-container"]]) {
        const [ours, theirs] = [await cooper("up", folder, { args }), await reference("up", folder, { args })];
        expect(ours.outcome.outcome).toBe("error");
        expect(ours.outcome.message).toContain(theirs.outcome.message ?? "nothing");
      }
    });
  });
}
