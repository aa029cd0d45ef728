import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { askEngine, runEngine } from "./builders.ts";
import { availableEngines, BASE_IMAGE, describeEngine, runCooper } from "./engines.ts";
import { devcontainerJson, localFeature, openScene } from "./workspace.ts";

/** Docker's Compose plugin is a program of its own as well; undefined where it is not installed. */
function findComposeProgram(): string | undefined {
  const docker = availableEngines().find(({ name }) => name === "docker");
  const format = '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}';
  if (docker === undefined || Bun.which(docker.path) === null) return undefined;
  const { stdout } = Bun.spawnSync([docker.path, "info", "--format", format], {
    env: { ...process.env, ...docker.env },
  });
  return stdout.toString().trim() || undefined;
}

const program = findComposeProgram();

describeEngine("podman", (engine) => {
  const title = program === undefined ? "Compose (skipped: there is no Compose program)" : "Compose";
  describe.skipIf(program === undefined)(title, () => {
    const scene = openScene();
    const socket = join(scene.directory("s"), "p");
    const home = scene.directory("home");
    let service: Bun.Subprocess | undefined;
    beforeAll(async () => {
      service = Bun.spawn([engine.path, "system", "service", "--time=0", `unix://${socket}`], {
        env: { ...process.env, ...engine.env },
        stdout: "ignore",
        stderr: "ignore",
      });
      while (!existsSync(socket) && service.exitCode === null) await Bun.sleep(50);
    });
    afterAll(() => service?.kill());

    test("a service comes up through podman's socket, is started again, and is taken down", async () => {
      const folder = scene.workspace({
        ...devcontainerJson({
          dockerComposeFile: "compose.yml",
          service: "app",
          features: { "./greet": {} },
          mounts: ["source=data,target=/data,type=volume"],
        }),
        ".devcontainer/compose.yml": {
          json: {
            services: { app: { build: { context: ".", args: { WORD: "of Compose" } }, stop_signal: "SIGKILL" } },
          },
        },
        ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nARG WORD\nRUN echo "$WORD" > /word\nCMD ["sleep", "infinity"]\n`,
        ...localFeature("greet", "echo of Feature > /greeting"),
      });
      const cooper = async (command: string, ...args: string[]) => {
        const words = [command, "--workspace-folder", folder, ...args];
        const { stdout, stderr } = await runCooper(words, { engine, home, env: { DOCKER_HOST: `unix://${socket}` } });
        const outcome = JSON.parse(stdout);
        expect({ outcome: outcome.outcome, said: outcome.outcome === "success" ? "" : stderr }).toEqual({
          outcome: "success",
          said: "",
        });
        return outcome;
      };
      const up = () => cooper("up", "--docker-compose-path", program ?? "");
      const { containerId, composeProjectName } = await up();
      expect(await runEngine(engine, ["exec", containerId, "cat", "/word", "/greeting"])).toBe(
        "of Compose\nof Feature\n",
      );
      await runEngine(engine, ["stop", "-t", "0", containerId]);
      expect((await up()).containerId).toBe(containerId);
      const { removed } = await cooper("down", "--volumes");
      expect(removed).toMatchObject({
        containers: [containerId],
        networks: [`${composeProjectName}_default`],
        volumes: [`${composeProjectName}_data`],
      });
      expect((await askEngine(engine, ["inspect", containerId])).exitCode).not.toBe(0);
      await askEngine(engine, ["rmi", "--force", `localhost/${composeProjectName}-app`]);
    });
  });
});
