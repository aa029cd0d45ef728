import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine } from "./engines.ts";
import { openUpScene } from "./up-scene.ts";
import { localFeature } from "./workspace.ts";

const ONE = { image: BASE_IMAGE };
const HOOKS = {
  onCreateCommand: "echo create >>/order",
  updateContentCommand: "echo update >>/order",
  postCreateCommand: "echo created >>/order",
  postStartCommand: "echo start >>/order",
  postAttachCommand: "echo attach >>/order",
};

/** A port of the loopback that is taken as long as the server listens. */
async function takePort(): Promise<{ readonly port: number; readonly free: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  return { port: address.port, free: () => server.close() };
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openUpScene(engine);
    const { project, cooper, up, containers, inContainer } = scene;

    test("an image becomes a running container in which the workspace is mounted", async () => {
      const folder = project({ ...ONE, remoteEnv: { A: "b" } }, { "hello.txt": "hello" });
      const base = folder.split("/").at(-1);
      const { outcome, stdout } = await cooper("up", folder);
      expect(Object.keys(JSON.parse(stdout))).toEqual([
        "outcome",
        "containerId",
        "remoteUser",
        "remoteWorkspaceFolder",
      ]);
      expect(outcome).toMatchObject({
        outcome: "success",
        remoteUser: "root",
        remoteWorkspaceFolder: `/workspaces/${base}`,
      });
      const [details, ...others] = await containers(folder);
      expect(others).toEqual([]);
      expect(details?.id).toBe(outcome.containerId ?? "");
      expect(details).toMatchObject({
        status: "running",
        labels: {
          "devcontainer.local_folder": folder,
          "devcontainer.config_file": `${folder}/.devcontainer/devcontainer.json`,
          "devcontainer.metadata": JSON.stringify([{ remoteEnv: { A: "b" } }]),
        },
      });
      expect(await inContainer(details?.id ?? "", `cat /workspaces/${base}/hello.txt`)).toBe("hello");
    });

    test("a Dockerfile and Features come up, with both configurations in the result when they are asked for", async () => {
      const config = { build: { dockerfile: "Dockerfile" }, features: { "./tool": {} }, remoteUser: "nobody" };
      const files = {
        ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN echo dockerfile >/made\n`,
        ...localFeature("tool", "echo feature >>/made", { postCreateCommand: "true", capAdd: ["SYS_PTRACE"] }),
      };
      const folder = project(config, files);
      const { outcome } = await cooper("up", folder, {
        args: ["--include-configuration", "--include-merged-configuration", "--update-remote-user-uid-default", "off"],
      });
      expect(outcome.remoteUser).toBe("nobody");
      expect(outcome.configuration).toMatchObject(config);
      expect(outcome.configuration?.["configFilePath"]).toEqual({
        $mid: 1,
        fsPath: `${folder}/.devcontainer/devcontainer.json`,
        path: `${folder}/.devcontainer/devcontainer.json`,
        scheme: "vscode-fileHost",
      });
      expect(outcome.mergedConfiguration).toMatchObject({
        init: false,
        privileged: false,
        capAdd: ["SYS_PTRACE"],
        postCreateCommands: ["true"],
        remoteUser: "nobody",
      });
      expect(await inContainer(outcome.containerId ?? "", "cat /made")).toBe("dockerfile\nfeature\n");
    });

    test("a container that runs is found, one that was stopped is started, and hooks that run once did", async () => {
      const folder = project({ ...ONE, ...HOOKS });
      const id = await up(folder);
      expect(await up(folder)).toBe(id);
      expect((await cooper("stop", folder)).outcome).toMatchObject({ outcome: "success", stopped: [id] });
      expect((await cooper("stop", folder)).outcome).toMatchObject({ outcome: "success", stopped: [] });
      expect(await up(folder)).toBe(id);
      const order = "create update created start attach attach start attach";
      expect(await inContainer(id, "cat /order")).toBe(`${order.replaceAll(" ", "\n")}\n`);
    });

    test("a container that was paused goes on", async () => {
      const folder = project({ ...ONE, ...HOOKS });
      const id = await up(folder);
      await runEngine(engine, ["pause", id]);
      expect(await up(folder)).toBe(id);
      expect(await inContainer(id, "grep -c start /order")).toBe("1\n");
    });

    test("--remove-existing-container makes another, --expect-existing-container wants one", async () => {
      const folder = project(ONE);
      const expected = await cooper("up", folder, { args: ["--expect-existing-container"] });
      expect(expected.outcome).toMatchObject({
        outcome: "error",
        message: "The expected container does not exist.",
        description: "An error occurred setting up the container.",
      });
      expect(await containers(folder)).toEqual([]);
      const first = await up(folder);
      expect(await up(folder, { args: ["--expect-existing-container"] })).toBe(first);
      const second = await up(folder, { args: ["--remove-existing-container"] });
      expect(second).not.toBe(first);
      expect((await containers(folder)).map(({ id }) => id)).toEqual([second]);
    });

    test("a container that another label names is found by it, and has no other identity", async () => {
      const folder = project(ONE);
      const label = `dev.cooper.test.up=${scene.id}-${name}`;
      const id = await up(folder, { args: ["--id-label", label] });
      expect(await up(folder, { args: ["--id-label", label] })).toBe(id);
      expect(await containers(folder)).toEqual([]);
      const down = await cooper("down", folder, { args: ["--id-label", label] });
      expect(down.outcome).toMatchObject({ removed: { containers: [id] } });
    });

    test("a port that is taken is said, with what to do, and no container stays behind", async () => {
      const { port, free } = await takePort();
      try {
        const folder = project({ ...ONE, appPort: [`127.0.0.1:${port}:80`] });
        const { outcome, stderr } = await cooper("up", folder);
        expect(outcome.message).toContain("Command failed");
        expect(stderr).toContain(String(port));
        expect(stderr).toContain("Another process or container has a port that this one publishes");
        expect(await containers(folder)).toEqual([]);
      } finally {
        free();
      }
    });

    test("a container that ends at once is an error with what it printed", async () => {
      const image = await scene.baseImage(engine, "ends", 'CMD ["sh", "-c", "echo no license >&2; exit 9"]');
      const { outcome } = await cooper("up", project({ image, overrideCommand: false }));
      expect(outcome.outcome).toBe("error");
      expect(outcome.message).toContain("no license");
      expect(outcome.message).toContain("exit code 9");
    });

    test("an image without a shell is refused by name, and no container stays behind", async () => {
      const folder = project(
        { build: { dockerfile: "Dockerfile" } },
        {
          ".devcontainer/Dockerfile": "FROM scratch\nCOPY devcontainer.json /\n",
        },
      );
      const { outcome, stderr } = await cooper("up", folder);
      expect(outcome.message).toContain("/bin/sh");
      expect(stderr).toContain("use a base image with a shell");
      expect(await containers(folder)).toEqual([]);
    });

    test("a configuration under another name is refused before anything is made", async () => {
      const folder = project(ONE, { ".devcontainer/other.json": { json: ONE } });
      const { outcome } = await cooper("up", folder, { args: ["--config", `${folder}/.devcontainer/other.json`] });
      expect(outcome.message).toContain("Filename must be devcontainer.json or .devcontainer.json");
      expect(await containers(folder)).toEqual([]);
    });
  });
}
