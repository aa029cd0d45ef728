import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openShellScene } from "./agent-shell.ts";
import { askEngine, runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper } from "./engines.ts";
import { devcontainerJson, openScene } from "./workspace.ts";

const registry = process.env["COOPER_TEST_REGISTRY_PLAIN"];

const scene = openScene();

test("a folder with nothing to build from is told every place that was looked at", async () => {
  const folder = scene.workspace({ "a.txt": "" });
  const { exitCode, stdout, stderr } = await runCooper(["build"], { cwd: folder });
  expect(exitCode).toBe(1);
  for (const name of [".devcontainer/devcontainer.json", ".devcontainer.json", "cooper.jsonc", "ocx.json"])
    expect(JSON.parse(stdout).message).toContain(join(folder, name));
  expect(stderr).toContain("--agent, or a cooper.jsonc with custom_base_image");
});

test("options about an agent's image are refused where no agent is named", async () => {
  const folder = scene.workspace(devcontainerJson({ image: BASE_IMAGE }));
  for (const option of ["--base", "--force"]) {
    const { exitCode, stderr } = await runCooper(["build", option], { cwd: folder });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${option} is about a coding agent's image, and no agent is named.`);
  }
});

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openShellScene(engine);

    test("nothing is built twice, --force builds the agent's image, and --base what it is put on", async () => {
      // Of its own: a builder's cache has what earlier runs of this test stamped.
      const lines = `RUN date +%s%N >/stamp; : ${crypto.randomUUID()}`;
      const folder = scene.project(
        { custom_base_dockerfile: "docker/Dockerfile" },
        { "docker/Dockerfile": `FROM ${BASE_IMAGE}\n${lines}\n` },
      );
      const build = async (...flags: string[]) => {
        const { exitCode, stderr } = await scene.cooper(folder, ["build", "--agent", "opencode", ...flags]);
        expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
        const stamp = (await scene.inside(folder, "cat /stamp")).stdout;
        return { stamp, steps: (stderr.match(/COPY --from|RUN date/g) ?? []).length, stderr };
      };
      const first = await build();
      expect((await build()).stderr).toMatch(/^Nothing changed: ocx-project-.*:1\.0\.0 is up to date\.\n$/);
      const forced = await build("--force");
      expect(forced.stamp).toBe(first.stamp);
      expect(forced.steps).toBeGreaterThan(0);
      const fresh = await build("--no-cache");
      expect(fresh.stamp).toBe(first.stamp);
      expect(fresh.steps).toBeGreaterThan(0);
      const based = await build("--base");
      // The builder has its steps.
      expect(based.stamp).toBe(first.stamp);
      expect(based.stderr).toContain("RUN date");
      expect((await build("--base", "--no-cache")).stamp).not.toBe(first.stamp);
    });

    describe.skipIf(registry === undefined)("with a registry", () => {
      test("an agent's image that cooper makes without the engine is up to date for it, and runs", async () => {
        const base = `${registry}/cooper-test-${scene.id}/${name}:1`;
        const insecure = name === "podman" ? ["--tls-verify=false"] : [];
        await runEngine(engine, ["tag", BASE_IMAGE, base]);
        await runEngine(engine, ["push", ...insecure, base]);
        await runEngine(engine, ["rmi", base]);
        await runEngine(engine, ["pull", ...insecure, base]);
        const folder = scene.project({ custom_base_image: base });
        const build = ["build", "--agent", "opencode"];
        const none = { COOPER_DOCKER_PATH: "/nonexistent/engine" };
        for (const backend of ["assemble", "native"]) {
          const archive = join(scene.directory("out"), "image.tar");
          const output = ["--output", `type=docker,dest=${archive}`];
          const plan = () => scene.cooper(folder, ["plan", ...build.slice(1), "--backend", backend], none);
          if (backend === "native") {
            expect((await plan()).stderr).toContain(`${base} is not in cooper's store: it would be pulled first.`);
          }
          const planned = backend === "native" ? undefined : await plan();
          const made = await scene.cooper(folder, [...build, "--backend", backend, ...output], none);
          expect(made).toMatchObject({ exitCode: 0 });
          const [image = ""]: string[] = JSON.parse(made.stdout).imageName;
          expect(JSON.parse((planned ?? (await plan())).stdout).tags).toEqual([image]);
          await runEngine(engine, ["load", "--input", archive]);
          const again = await scene.cooper(folder, build);
          expect(again.stderr).toBe(`Nothing changed: ${image} is up to date.\n`);
          expect((await scene.inside(folder, "echo ran")).stdout).toBe("ran\n");
          await runEngine(engine, ["rmi", image]);
        }
        await askEngine(engine, ["rmi", base]);
      });
    });
  });
}
