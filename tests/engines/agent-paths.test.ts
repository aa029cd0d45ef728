import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { openShellScene } from "./agent-shell.ts";
import { BASE_IMAGE, describeEngine } from "./engines.ts";
import { writeFiles } from "./workspace.ts";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const scene = openShellScene(engine);

    test("a project whose path has commas, quotes, colons and blanks is a project like another", async () => {
      const folder = join(scene.project({}), 'a, "b" c:d=e');
      const json = { custom_base_image: BASE_IMAGE, memory: "256m", forbidden_paths: ["se:cret", "f,g"] };
      writeFiles(folder, { "cooper.jsonc": { json }, "se:cret/x": "hidden", "f,g": "hidden" });
      const volumes = `test-${scene.id}`;
      const env = { COOPER_DATA_VOLUMES_MODE: "always", COOPER_DATA_VOLUMES_NAME: volumes };
      const script = "cat se:cret/x f,g 2>/dev/null; (echo evil >cooper.jsonc) 2>/dev/null && echo wrote; pwd";
      expect((await scene.inside(folder, script, env)).stdout).toEndWith('/a, "b" c:d=e\n');

      const { id, stop } = await scene.start(folder, env);
      const listed = JSON.parse((await scene.cooper(folder, ["ps", "--json"])).stdout);
      expect(listed).toEqual([expect.objectContaining({ containerId: id, workspaceFolder: folder })]);
      expect(JSON.parse((await scene.cooper(join(folder, ".."), ["ps", "--json"])).stdout)).toEqual([]);
      expect((await scene.cooper(folder, ["exec", "echo", "beside"])).stdout).toBe("beside\n");
      const kept = JSON.parse((await scene.cooper(folder, ["volume", "list", "--all", "--json"])).stdout);
      expect(kept).toContainEqual(expect.objectContaining({ name: `${volumes}-cache`, workspaceFolder: folder }));
      const ended = JSON.parse((await scene.cooper(folder, ["stop"])).stdout);
      expect(ended).toMatchObject({ stopped: [id] });
      await stop();
      await scene.cooper(folder, ["volume", "prune", "--force"], env);
      rmSync(folder, { recursive: true });
    });
  });
}
