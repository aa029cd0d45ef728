import { expect, test } from "bun:test";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper } from "./engines.ts";
import { openScene } from "./workspace.ts";

const scene = openScene();

for (const name of ["docker", "docker-containerd", "podman"] as const) {
  describeEngine(name, (engine) => {
    const validate = async (image: string, cwd?: string) => {
      const options = cwd === undefined ? { engine } : { engine, cwd };
      const { exitCode, stdout } = await runCooper(["image", "validate", image], options);
      return { exitCode, document: JSON.parse(stdout) };
    };

    test("an image of the engine's store is in order", async () => {
      expect(await validate(`engine:${BASE_IMAGE}`)).toMatchObject({ exitCode: 0, document: { valid: true } });
    });

    test("--docker-path names the engine that an image is read from", async () => {
      const cwd = scene.directory("chosen");
      const env = { ...engine.env, COOPER_DOCKER_PATH: "/nowhere/docker" };
      const chosen = ["--docker-path", engine.path];
      const image = `engine:${BASE_IMAGE}`;
      for (const words of [
        ["inspect", image],
        ["validate", image],
        ["copy", image, "oci:copied"],
      ]) {
        const { exitCode, stderr } = await runCooper(["image", ...words, ...chosen], { cwd, env });
        expect({ exitCode, stderr, words }).toMatchObject({ exitCode: 0 });
      }
    });

    test("what the engine saved is in order until one byte of it changes", async () => {
      const cwd = scene.directory("saved");
      const archive = join(cwd, "image.tar");
      await runEngine(engine, ["save", "--output", archive, BASE_IMAGE]);
      expect(await validate("image.tar", cwd)).toMatchObject({ exitCode: 0, document: { valid: true } });
      const file = openSync(archive, "r+");
      // The layer takes up nearly all of the archive: its middle is in a layer.
      writeSync(file, "cooper was here", Math.floor(statSync(archive).size / 2));
      closeSync(file);
      const { exitCode, document } = await validate("image.tar", cwd);
      expect(exitCode).toBe(1);
      expect(document.faults.length).toBeGreaterThan(0);
    });
  });
}
