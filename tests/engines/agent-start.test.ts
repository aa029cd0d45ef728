import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openAgentScene, whyNoAgents } from "./agent-scene.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";
import { writeFiles } from "./workspace.ts";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(whyNoAgents !== undefined)(`the start of agents${whyNoAgents ?? ""}`, () => tests(engine));
  });
}

function tests(engine: TestEngine) {
  const { project, cooper, directory, home } = openAgentScene(engine);

  test("with nothing to build, the engine is asked one question before the agent runs", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    expect((await cooper(folder, ["opencode", "--version"])).exitCode).toBe(0);
    const place = directory("client");
    const [client, log] = [join(place, "client"), join(place, "log")];
    const text = `#!/bin/sh\necho "$1 $2" >>'${log}'\nexec '${engine.path}' "$@"\n`;
    writeFiles(place, { client: { text, mode: 0o755 } });
    const { exitCode, stdout } = await cooper(folder, ["opencode", "--version"], { COOPER_DOCKER_PATH: client });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(readFileSync(log, "utf8")).toBe("image inspect\nrun --rm\n");
  });

  test("each agent has its own folder of configuration, which its own setting names", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    const own = join(home, "elsewhere");
    const env = { COOPER_CODEX_CONFIG_DIR: own };
    const told = JSON.parse((await cooper(folder, ["agent", "preflight", "codex", "--json"], env)).stdout);
    const mounts: { source?: string; target: string }[] = told.mounts;
    expect(mounts.find(({ source }) => source === own)?.target).toMatch(/\/\.codex$/);
  });
}
