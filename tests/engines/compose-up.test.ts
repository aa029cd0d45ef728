import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import * as v from "valibot";
import { askEngine, runEngine } from "./builders.ts";
import { type ComposeRun, describeCompose, openComposeScene } from "./compose-scene.ts";
import { BASE_IMAGE } from "./engines.ts";
import { devcontainerJson, type Files, localFeature, writeFiles } from "./workspace.ts";

const SLEEP = { image: BASE_IMAGE, command: "sleep infinity", stop_signal: "SIGKILL" };

const inspection = v.tuple([
  v.object({
    Config: v.object({ Labels: v.record(v.string(), v.string()), Image: v.string() }),
    HostConfig: v.object({ Privileged: v.boolean(), CapAdd: v.nullish(v.array(v.string())) }),
    Mounts: v.array(v.object({ Type: v.string(), Name: v.optional(v.string()), Destination: v.string() })),
  }),
]);

describeCompose((engine) => {
  const scene = openComposeScene(engine);
  const config = { dockerComposeFile: "compose.yml", service: "app" };
  const composeFile = (services: object, others: object = {}): Files => ({
    ".devcontainer/compose.yml": { json: { services, ...others } },
  });
  const containerOf = ({ outcome, stderr }: ComposeRun) => {
    if (outcome.outcome === "success" && outcome.containerId !== undefined) return outcome.containerId;
    throw new Error(`up failed: ${outcome.message}\n${stderr}`);
  };
  const inspect = async (run: ComposeRun) => {
    const args = ["inspect", "--type", "container", containerOf(run)];
    const [details] = v.parse(inspection, JSON.parse(await runEngine(engine, args)));
    return details;
  };
  const stop = (run: ComposeRun) => runEngine(engine, ["stop", "-t", "0", containerOf(run)]);

  test("a service comes up with what it runs itself, and is the same container the next time", async () => {
    const folder = scene.workspace({
      ...devcontainerJson(config),
      ...composeFile({
        app: { ...SLEEP, command: ["sh", "-c", "echo $$HOME > /ran; exec sleep infinity"] },
        db: SLEEP,
      }),
    });
    const first = await scene.cooper("up", folder);
    expect(first.outcome).toMatchObject({
      outcome: "success",
      composeProjectName: scene.projectOf(folder),
      remoteUser: "root",
    });
    expect(await scene.inContainer(containerOf(first), "cat", "/ran")).toBe("/root\n");
    expect(await scene.running(scene.projectOf(folder))).toEqual(["app", "db"]);
    expect((await inspect(first)).Config).toMatchObject({
      Image: BASE_IMAGE,
      Labels: {
        "devcontainer.local_folder": folder,
        "devcontainer.config_file": join(folder, ".devcontainer/devcontainer.json"),
        "devcontainer.metadata": "[]",
      },
    });
    const again = await scene.cooper("up", folder, { args: ["--log-level", "debug"] });
    expect(again.outcome.containerId).toBe(containerOf(first));
    expect(again.stderr).not.toContain("compose --project-name");
  });

  test("Features and the configuration say how the container is, over what several files say", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({
        ...config,
        dockerComposeFile: ["compose.yml", "more.yml"],
        features: { "./setup": {} },
        containerEnv: { FROM_CONFIG: "a ${x} $$ $HOME 'b'" },
        mounts: ["source=cooper-data,target=/data,type=volume"],
        overrideCommand: true,
      }),
      ...composeFile({
        app: { ...SLEEP, command: "false", environment: { ONE: "1", TWO: "1" }, user: "daemon" },
      }),
      ".devcontainer/more.yml": { json: { services: { app: { environment: { TWO: "2", DOLLAR: "$$5" } } } } },
      ...localFeature("setup", "echo entry > /from-feature; mkdir -m 777 /shared", {
        privileged: true,
        capAdd: ["SYS_PTRACE"],
        entrypoint: "id -un > /shared/entered",
        containerEnv: { FROM_FEATURE: "yes" },
      }),
    });
    const run = await scene.cooper("up", folder);
    const details = await inspect(run);
    expect(details.HostConfig).toMatchObject({ Privileged: true, CapAdd: ["SYS_PTRACE"] });
    expect(details.Mounts).toMatchObject([
      { Type: "volume", Name: `${scene.projectOf(folder)}_cooper-data`, Destination: "/data" },
    ]);
    expect(details.Config.Image).toMatch(/^localhost\/cooper\/project/);
    const said = await scene.inContainer(
      containerOf(run),
      "sh",
      "-c",
      'until test -s /shared/entered; do sleep 0.1; done; cat /from-feature /shared/entered; printf "%s\\n" "$ONE$TWO" "$DOLLAR" "$FROM_FEATURE" "$FROM_CONFIG"',
    );
    expect(said).toBe("entry\ndaemon\n12\n$5\nyes\na ${x} $$ $HOME 'b'\n");
    expect(run.outcome.remoteUser).toBe("daemon");
  });

  test("values arrive as they were written, whatever YAML, Compose or a shell would read in them", async () => {
    const hostile = "${x} $$ $(id) `id` %s \"b\" 'c'\n- d: &e !reset {f} # g\\n";
    const containerEnv = { HOSTILE: hostile, "WITH-DASH": "*" };
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, containerEnv }),
      ...composeFile({ app: SLEEP }),
    });
    const run = await scene.cooper("up", folder);
    expect(await scene.inContainer(containerOf(run), "printenv", "HOSTILE")).toBe(`${hostile}\n`);
    expect(await scene.inContainer(containerOf(run), "printenv", "WITH-DASH")).toBe("*\n");
    const label = (await inspect(run)).Config.Labels["devcontainer.metadata"] ?? "";
    expect(JSON.parse(label)).toEqual([{ containerEnv }]);
  });

  test("a service with a build runs the image that Features were added to", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, features: { "./greet": {} }, remoteUser: "root" }),
      ...composeFile({ app: { build: "." } }),
      ...localFeature("greet", "echo hello > /greeting"),
      ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nENTRYPOINT ["sh", "-c", "exec $0 $1"]\nCMD ["sleep", "1000"]\n`,
    });
    const run = await scene.cooper("up", folder);
    expect((await inspect(run)).Config.Image).toBe(`${scene.projectOf(folder)}-app`);
    expect(await scene.inContainer(containerOf(run), "cat", "/greeting")).toBe("hello\n");
    expect(await scene.inContainer(containerOf(run), "cat", "/proc/1/cmdline")).toBe("sleep\u00001000\u0000");
  });

  test("only the services that are wanted run, and what they depend on", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, runServices: ["cache"] }),
      ...composeFile({ app: { ...SLEEP, depends_on: ["db"] }, db: SLEEP, cache: SLEEP, other: SLEEP }),
    });
    await scene.cooper("up", folder);
    expect(await scene.running(scene.projectOf(folder))).toEqual(["app", "cache", "db"]);
  });

  test("a service behind a profile comes up, and others behind another do not", async () => {
    const folder = scene.workspace({
      ...devcontainerJson(config),
      ...composeFile({
        app: { ...SLEEP, profiles: ["dev"] },
        db: SLEEP,
        tools: { ...SLEEP, profiles: ["tools"] },
      }),
    });
    const { outcome } = await scene.cooper("up", folder);
    expect(outcome.outcome).toBe("success");
    expect(await scene.running(scene.projectOf(folder))).toEqual(["app", "db"]);
  });

  test("a service whose profile was asked for comes up beside the others of it", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, runServices: ["tools"] }),
      ...composeFile({ app: { ...SLEEP, profiles: ["dev"] }, tools: { ...SLEEP, profiles: ["tools"] }, db: SLEEP }),
    });
    await scene.cooper("up", folder);
    expect(await scene.running(scene.projectOf(folder))).toEqual(["app", "tools"]);
  });

  test("a service that runs beside it is built by Compose, and again when its files change", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, features: { "./greet": {} } }),
      ...composeFile({
        app: { build: "." },
        beside: { build: "beside", command: "sleep infinity", stop_signal: "SIGKILL" },
      }),
      ...localFeature("greet", "echo hello > /greeting"),
      ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nCMD ["sleep", "infinity"]\n`,
      ".devcontainer/beside/Dockerfile": `FROM ${BASE_IMAGE}\nRUN echo 1 > /version\n`,
    });
    const project = scene.projectOf(folder);
    const version = async () => scene.inContainer(`${project}-beside-1`, "cat", "/version");
    const first = await scene.cooper("up", folder);
    expect(await version()).toBe("1\n");
    writeFiles(folder, { ".devcontainer/beside/Dockerfile": `FROM ${BASE_IMAGE}\nRUN echo 2 > /version\n` });
    const second = await scene.cooper("up", folder, { args: ["--remove-existing-container"] });
    expect(second.outcome.containerId).not.toBe(containerOf(first));
    expect(await version()).toBe("2\n");
    expect(await scene.inContainer(containerOf(second), "cat", "/greeting")).toBe("hello\n");
  });

  test("with no file named, the workspace's .env says which, and what is in them", async () => {
    const folder = scene.workspace({
      ".devcontainer.json": { json: { dockerComposeFile: [], service: "app" } },
      ".env": `COMPOSE_FILE=one.yml:two.yml\nBASE=${BASE_IMAGE}\nWORD=from-env\n`,
      "one.yml": { json: { services: { app: { image: "${BASE}", command: "sleep infinity" } } } },
      "two.yml": { json: { services: { app: { environment: { WORD: "${WORD}" } } } } },
    });
    const { outcome } = await scene.cooper("up", folder);
    expect(outcome.composeProjectName).toBe(basename(folder));
    expect(await scene.inContainer(outcome.containerId, "printenv", "WORD")).toBe("from-env\n");
  });

  test("a stopped container is started with the files it was made with, or without them if they are gone", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, features: { "./greet": {} } }),
      ...composeFile({ app: SLEEP, db: SLEEP }),
      ...localFeature("greet", "echo hello > /greeting"),
    });
    const data = scene.directory("data");
    const args = ["--user-data-folder", data];
    const first = await scene.cooper("up", folder, { args });
    const files = () => readdirSync(join(data, "docker-compose"));
    expect(files()).toHaveLength(1);
    await stop(first);
    await runEngine(engine, ["stop", "-t", "0", `${scene.projectOf(folder)}-db-1`]);
    const second = await scene.cooper("up", folder, { args });
    expect(second.outcome.containerId).toBe(containerOf(first));
    expect(await scene.running(scene.projectOf(folder))).toEqual(["app", "db"]);
    expect(files()).toHaveLength(1);

    await stop(first);
    rmSync(join(data, "docker-compose"), { recursive: true });
    const third = await scene.cooper("up", folder, { args });
    expect(third.outcome.containerId).toBe(containerOf(first));
    expect(await scene.inContainer(containerOf(third), "cat", "/greeting")).toBe("hello\n");
    expect(files()).toEqual([]);
  });

  test("a container that is expected is not made, and one that is unwanted is replaced", async () => {
    const folder = scene.workspace({ ...devcontainerJson(config), ...composeFile({ app: SLEEP }) });
    const expected = await scene.cooper("up", folder, { args: ["--expect-existing-container"] });
    expect(expected.outcome).toMatchObject({ outcome: "error", message: "The expected container does not exist." });
    const first = await scene.cooper("up", folder);
    const second = await scene.cooper("up", folder, { args: ["--remove-existing-container"] });
    expect(second.outcome.containerId).not.toBe(containerOf(first));
    expect((await askEngine(engine, ["inspect", first.outcome.containerId ?? ""])).exitCode).not.toBe(0);
  });

  test("down leaves nothing of a project behind but what others keep in volumes", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, mounts: ["source=kept,target=/kept,type=volume"] }),
      ...composeFile({ app: SLEEP, db: SLEEP }),
    });
    const before = existsSync(scene.overrideFolder) ? readdirSync(scene.overrideFolder) : [];
    await scene.cooper("up", folder);
    expect(readdirSync(scene.overrideFolder)).toHaveLength(before.length + 1);
    expect((await scene.cooper("down", folder)).outcome.outcome).toBe("success");
    expect(readdirSync(scene.overrideFolder)).toEqual(before);
    const labelled = ["--filter", `label=com.docker.compose.project=${scene.projectOf(folder)}`];
    expect(await runEngine(engine, ["ps", "-aq", ...labelled])).toBe("");
    expect(await runEngine(engine, ["network", "ls", "-q", ...labelled])).toBe("");
    expect(await runEngine(engine, ["volume", "ls", "-q", ...labelled])).toBe(`${scene.projectOf(folder)}_kept\n`);
  });

  test("each CLI finds the other's container, running or stopped", async () => {
    const files = { ...devcontainerJson(config), ...composeFile({ app: SLEEP }) };
    const ofOurs = scene.workspace(files);
    const ours = await scene.cooper("up", ofOurs);
    expect((await scene.reference("up", ofOurs)).outcome.containerId).toBe(containerOf(ours));
    await stop(ours);
    expect((await scene.reference("up", ofOurs)).outcome.containerId).toBe(containerOf(ours));

    const ofTheirs = scene.workspace(files);
    const theirs = await scene.reference("up", ofTheirs);
    expect((await scene.cooper("up", ofTheirs)).outcome.containerId).toBe(containerOf(theirs));
    await stop(theirs);
    expect((await scene.cooper("up", ofTheirs)).outcome.containerId).toBe(containerOf(theirs));
  });

  test("a failure of Compose is told with what it was about, and leaves no file behind", async () => {
    const folder = scene.workspace({
      ...devcontainerJson(config),
      ...composeFile({ app: { ...SLEEP, networks: ["gone"] } }, { networks: { gone: { external: true } } }),
    });
    const data = scene.directory("data");
    const ours = await scene.cooper("up", folder, { args: ["--user-data-folder", data] });
    const theirs = await scene.reference("up", folder);
    expect(ours.outcome.description).toBe("An error occurred starting Docker Compose up.");
    expect(ours.outcome.description).toBe(theirs.outcome.description ?? "none");
    expect(ours.outcome.message).toContain("network gone");
    expect(readdirSync(join(data, "docker-compose"))).toEqual([]);
  });

  test("a service that is not there is refused in the reference CLI's words", async () => {
    const folder = scene.workspace({
      ...devcontainerJson({ ...config, service: "ap" }),
      ...composeFile({ app: SLEEP }),
    });
    const [ours, theirs] = await Promise.all([scene.cooper("up", folder), scene.reference("up", folder)]);
    expect(ours.outcome).toEqual(theirs.outcome);
  });

  test("a service whose container ends at once is told with what it printed", async () => {
    const folder = scene.workspace({
      ...devcontainerJson(config),
      ...composeFile({ app: { image: BASE_IMAGE, command: ["sh", "-c", "echo no luck; exit 3"] } }),
    });
    const { outcome } = await scene.cooper("up", folder);
    expect(outcome.message).toContain("The container ended as soon as it had started (exit code 3).");
    expect(outcome.message).toContain("no luck");
  });
});
