import { expect, test } from "bun:test";
import { join } from "node:path";
import { BASE_IMAGE, cooperCommand, describeEngine, runCooper } from "./engines.ts";
import { processesWith } from "./processes.ts";
import { openUpScene } from "./up-scene.ts";
import { localFeature } from "./workspace.ts";

const IMAGE = { image: BASE_IMAGE };

/** A hook that writes what it is called. */
const says = (word: string) => `echo ${word} >>/order`;

const ALL_HOOKS = {
  onCreateCommand: says("create"),
  updateContentCommand: says("update"),
  postCreateCommand: says("created"),
  postStartCommand: says("start"),
  postAttachCommand: says("attach"),
};

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openUpScene(engine);
    const { project, cooper, up, inContainer, hostLines, containers } = scene;
    const order = async (id: string) =>
      (await inContainer(id, "cat /order 2>/dev/null || true")).trim().split("\n").join(" ");

    test("hooks run in order, those of Features first, as the remote user in the workspace folder", async () => {
      const hooks = (word: string) =>
        Object.fromEntries(Object.keys(ALL_HOOKS).map((hook) => [hook, `echo ${word} ${hook} >>/tmp/order`]));
      const files = {
        ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN useradd -m dev\n`,
        ...localFeature("one", "true", hooks("one")),
        ...localFeature("two", "true", { ...hooks("two"), installsAfter: ["./one"] }),
      };
      const config = {
        build: { dockerfile: "Dockerfile" },
        features: { "./two": {}, "./one": {} },
        remoteUser: "dev",
        remoteEnv: { MINE: "yes" },
        ...hooks("own"),
        postAttachCommand: 'echo "$(id -un) $HOME $PWD $MINE" >>/tmp/order',
      };
      const folder = project(config, files);
      const id = await up(folder, { args: ["--update-remote-user-uid-default", "never"] });
      const expected = Object.keys(ALL_HOOKS).flatMap((hook) => ["one", "two", "own"].map((word) => `${word} ${hook}`));
      expected[expected.length - 1] = `dev /home/dev /workspaces/${folder.split("/").at(-1)} yes`;
      expect((await inContainer(id, "cat /tmp/order")).trim().split("\n")).toEqual(expected);
    });

    test("a hook is a shell line, a list of words, or several of both side by side", async () => {
      const meets = (mine: string, other: string) =>
        `touch /tmp/${mine}; until [ -e /tmp/${other} ]; do sleep 0.05; done; ${says(mine)}`;
      const id = await up(
        project({
          ...IMAGE,
          onCreateCommand: "A='$x' && echo \"$A\" >>/order",
          updateContentCommand: ["sh", "-c", 'echo "$1" >>/order', "sh", "$x; y"],
          postCreateCommand: { a: meets("a", "b"), b: ["sh", "-c", meets("b", "a")], none: "" },
          postStartCommand: [],
          postAttachCommand: {},
        }),
      );
      const [line, words, ...both] = (await order(id)).split(" ");
      expect([line, words, both.shift()]).toEqual(["$x", "$x;", "y"]);
      expect(both.toSorted()).toEqual(["a", "b"]);
    });

    test("--skip-non-blocking-commands stops behind what waitFor names, and the rest runs later", async () => {
      const folder = project({ ...IMAGE, ...ALL_HOOKS, waitFor: "onCreateCommand" });
      const id = await up(folder, { args: ["--skip-non-blocking-commands"] });
      expect(await order(id)).toBe("create");
      const result = async (args: readonly string[]) =>
        (await cooper("run-user-commands", folder, { args })).outcome.result;
      expect(await result(["--skip-non-blocking-commands"])).toBe("skipNonBlocking");
      expect(await result(["--prebuild"])).toBe("prebuild");
      expect(await order(id)).toBe("create update");
      expect(await result(["--prebuild"])).toBe("prebuild");
      expect(await order(id)).toBe("create update update");
      expect(await result(["--stop-for-personalization"])).toBe("stopForPersonalization");
      expect(await order(id)).toBe("create update update created");
      expect(await result(["--skip-post-attach"])).toBe("done");
      expect(await result([])).toBe("done");
      expect(await order(id)).toBe("create update update created start attach");
    });

    test("without waitFor, what blocks ends with updateContentCommand", async () => {
      const id = await up(project({ ...IMAGE, ...ALL_HOOKS }), { args: ["--skip-non-blocking-commands"] });
      expect(await order(id)).toBe("create update");
    });

    test("--prebuild, --skip-post-create and --skip-post-attach leave out what they say", async () => {
      const folder = project({ ...IMAGE, ...ALL_HOOKS });
      const id = await up(folder, { args: ["--skip-post-create"] });
      expect(await order(id)).toBe("");
      await up(folder, { args: ["--prebuild"] });
      expect(await order(id)).toBe("create update");
      await up(folder, { args: ["--skip-post-attach"] });
      expect(await order(id)).toBe("create update created start");
    });

    test("a hook that fails is named with its origin, exit code and last output; later ones wait for the next run", async () => {
      const files = localFeature("broken", "true", {
        postCreateCommand: "echo looking for a tool; echo not here >&2; exit 7",
      });
      const folder = project({ ...IMAGE, ...ALL_HOOKS, features: { "./broken": {} } }, files);
      const { outcome, stderr } = await cooper("up", folder);
      const [details] = await containers(folder);
      expect(outcome).toMatchObject({
        outcome: "error",
        description: "postCreateCommand from Feature './broken' failed.",
        containerId: details?.id ?? "",
      });
      expect(outcome.message).toContain("postCreateCommand from Feature './broken' failed with exit code 7.");
      expect(outcome.message).toContain("looking for a tool");
      expect(outcome.message).toContain("not here");
      expect(stderr).not.toContain("    at ");
      expect(details?.status).toBe("running");
      const id = await up(folder);
      expect(id).toBe(details?.id ?? "");
      expect(await order(id)).toBe("create update start attach");
    });

    test("of commands side by side the one that fails is named, after the others have ended", async () => {
      const folder = project({ ...IMAGE, postCreateCommand: { bad: "exit 3", good: `sleep 0.5; ${says("good")}` } });
      const { outcome } = await cooper("up", folder);
      expect(outcome.message).toContain("bad of postCreateCommand from devcontainer.json failed with exit code 3.");
      expect(await order(outcome.containerId ?? "")).toBe("good");
    });

    test("set-up runs the hooks of a configuration in a container that somebody else started", async () => {
      const where = { postAttachCommand: `${says("attach")}; echo "$PWD $WHERE" >>/where` };
      const remoteEnv = { A: "b", WHERE: "${localWorkspaceFolder}" };
      const folder = project({ ...IMAGE, ...ALL_HOOKS, ...where, remoteEnv });
      const label = `dev.cooper.test.set-up=${scene.id}-${name}`;
      const other = project({ ...IMAGE });
      const id = await up(other, { args: ["--id-label", label, "--skip-post-create"] });
      try {
        const args = [
          "--container-id",
          id,
          "--config",
          join(folder, ".devcontainer/devcontainer.json"),
          "--include-merged-configuration",
        ];
        const { exitCode, stdout } = await runCooper(["set-up", ...args], { engine, home: scene.home });
        expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
          exitCode: 0,
          outcome: "success",
          mergedConfiguration: { remoteEnv: { A: "b" }, postCreateCommands: [says("created")] },
        });
        expect(await order(id)).toBe("create update created start attach");
        // Without a workspace there is no folder of it.
        expect(await inContainer(id, "cat /where")).toBe("/root ${localWorkspaceFolder}\n");
      } finally {
        await cooper("down", other, { args: ["--id-label", label] });
      }
    });

    test("run-user-commands takes no configuration of a folder for a container that is named by its id", async () => {
      const folder = project({ ...IMAGE, ...ALL_HOOKS });
      const id = await up(folder, { args: ["--skip-post-create"] });
      const other = project({ ...IMAGE, postAttachCommand: says("other") });
      const words = ["run-user-commands", "--container-id", id];
      const { exitCode, stdout } = await runCooper(words, { engine, home: scene.home, cwd: other });
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '{"outcome":"success","result":"done"}\n' });
      expect(await order(id)).toBe("create update created start attach");
    });

    test("initializeCommand runs on this machine in the workspace, at each up, before anything is built", async () => {
      const folder = project({
        build: { dockerfile: "Dockerfile" },
        initializeCommand: `printf 'FROM ${BASE_IMAGE}\\n' >.devcontainer/Dockerfile; echo "$PWD" >>ran`,
      });
      await up(folder);
      await up(folder);
      expect(hostLines(join(folder, "ran"))).toEqual([folder, folder]);
    });

    test("an initializeCommand that fails is named, and nothing is made", async () => {
      const folder = project({
        ...IMAGE,
        initializeCommand: { check: "echo no license >&2; exit 5", other: ["true"] },
      });
      const { outcome } = await cooper("up", folder);
      expect(outcome).toMatchObject({
        outcome: "error",
        description: "The initializeCommand in the devcontainer.json failed.",
      });
      expect(outcome.message).toContain("check of initializeCommand");
      expect(outcome.message).toContain("exit code 5");
      expect(outcome.message).toContain("no license");
      expect(await containers(folder)).toEqual([]);
    });

    test("--no-host-commands keeps initializeCommand from running, and says so", async () => {
      const folder = project({ ...IMAGE, initializeCommand: "touch ran" });
      const { outcome, stderr } = await cooper("up", folder, { args: ["--no-host-commands"] });
      expect(outcome.outcome).toBe("success");
      expect(stderr).toContain("The initializeCommand does not run");
      expect(hostLines(join(folder, "ran"))).toEqual([]);
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      test(`${signal} during a hook ends what runs in the container and leaves the container, which comes up again`, async () => {
        const nap = `sleep 3${signal.length}${Number.parseInt(scene.id.slice(0, 6), 16)}`;
        const folder = project({
          ...IMAGE,
          onCreateCommand: says("create"),
          postCreateCommand: { deep: `(${nap} & ${nap}; true)`, other: `trap '' INT; ${nap}` },
          postStartCommand: says("start"),
        });
        const words = ["up", "--workspace-folder", folder];
        const { command, cwd, env } = cooperCommand(words, { engine, home: scene.home });
        const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
        const output = Promise.all([child.stdout.text(), child.stderr.text()]);
        const sleeping = () => processesWith(nap).filter(({ words }) => words.startsWith("sleep"));
        for (let tries = 0; tries < 600 && sleeping().length < 3 && child.exitCode === null; tries += 1)
          await Bun.sleep(50);
        expect(sleeping()).toHaveLength(3);
        // As a terminal does it, to everything in the group; as a supervisor does it, to the one process.
        process.kill(signal === "SIGINT" ? -child.pid : child.pid, signal);
        await output;
        expect(await child.exited).toBe(signal === "SIGINT" ? 130 : 143);
        expect(processesWith(nap)).toEqual([]);
        const [details] = await containers(folder);
        expect(details?.status).toBe("running");
        expect(await up(folder)).toBe(details?.id ?? "");
        expect(await order(details?.id ?? "")).toBe("create start");
      });
    }

    test("a container that is removed while a hook runs is said to be gone", async () => {
      const folder = project({ ...IMAGE, postCreateCommand: "touch /began; sleep 300" });
      const run = cooper("up", folder);
      for (let tries = 0; tries < 600; tries += 1) {
        const [details] = await containers(folder);
        if (details?.status === "running" && (await order(details.id)) === "") {
          const began = await inContainer(details.id, "ls /began 2>/dev/null || true");
          if (began !== "") break;
        }
        await Bun.sleep(50);
      }
      await cooper("down", folder);
      const { outcome } = await run;
      expect(outcome.outcome).toBe("error");
      expect(outcome.message).toContain(
        "was stopped or removed while the postCreateCommand from devcontainer.json ran",
      );
    });
  });
}
