import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper } from "./engines.ts";
import { devcontainerJson, inspectImage, openScene } from "./workspace.ts";

const scene = openScene();
const registry = process.env["COOPER_TEST_REGISTRY_PLAIN"];

/** A configuration in which nothing has to run, with all that can get into an image's config. */
function makeWorkspace(base: string): string {
  return scene.workspace(
    devcontainerJson({
      image: base,
      containerEnv: { GREETING: 'say "$HOME" \\ it\'s', PATH_LIKE: "/a:/b" },
      remoteUser: "root",
      customizations: { acme: { quote: '"\\', money: "$1 `x`" } },
    }),
  );
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(registry === undefined)("with a registry", () => {
      test("what is assembled without the engine has the config that the engine gives it", async () => {
        const base = `${registry}/cooper-test-${scene.id}/${name}:1`;
        const source = scene.imageName(engine, "base");
        const text = `FROM ${BASE_IMAGE}\nENV GREETING=old KEPT=yes\nLABEL kept=1 mine=old\nWORKDIR /srv\nUSER daemon\n`;
        await runEngine(engine, ["build", "-t", source, "-"], { stdin: text });
        expect(await runCooper(["image", "copy", `engine:${source}`, base], { engine })).toMatchObject({ exitCode: 0 });
        // Podman wants https of a registry that is not set up otherwise.
        await runEngine(engine, ["tag", source, base]);
        const folder = makeWorkspace(base);
        const [built, assembled] = [scene.imageName(engine, "built"), scene.imageName(engine, "assembled")];
        const build = ["build", "--workspace-folder", folder, "--label", "mine=a b", "--label", "money=$1"];
        expect(await runCooper([...build, "--image-name", built], { engine })).toMatchObject({ exitCode: 0 });
        const archive = join(scene.directory("out"), "image.tar");
        const argv = [...build, "--backend", "assemble", "--image-name", assembled];
        const output = ["--output", `type=docker,dest=${archive}`];
        const run = await runCooper([...argv, ...output], { env: { COOPER_DOCKER_PATH: "/nonexistent/engine" } });
        expect(run).toMatchObject({ exitCode: 0 });
        await runEngine(engine, ["load", "--input", archive]);
        const expected = await inspectImage(engine, built);
        const found = await inspectImage(engine, assembled);
        // An image that was tagged here has no digest in a registry, so its plan is another one.
        const plan = { "dev.cooper.plan": expect.stringMatching(/^[0-9a-f]{64}$/) };
        expect({ ...found, Id: "" }).toEqual({ ...expected, Id: "", Labels: { ...expected.Labels, ...plan } });
        expect(found.Labels).toMatchObject({ kept: "1", mine: "a b", money: "$1" });
      });
    });
  });
}

test.each([
  ["build", ["--output", "type=oci,dest=x.tar"]],
  ["plan", []],
  ["plan", ["--argv"]],
])("a Dockerfile cannot be assembled, and %s %j says so", async (command, options) => {
  const folder = scene.workspace({
    ...devcontainerJson({ build: { dockerfile: "Dockerfile" } }),
    ".devcontainer/Dockerfile": "FROM scratch\n",
  });
  const argv = [command, "--workspace-folder", folder, "--backend", "assemble", ...options];
  const { exitCode, stdout } = await runCooper(argv, { env: { COOPER_DOCKER_PATH: "/nonexistent/engine" } });
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout).message).toContain("its Dockerfile has to run in a container");
});
