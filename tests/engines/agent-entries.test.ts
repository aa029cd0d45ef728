import { afterAll, describe, expect, test } from "bun:test";
import { whyNoAgents } from "./agent-scene.ts";
import { askEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper } from "./engines.ts";
import { openScene } from "./workspace.ts";

// The programs are large: one folder keeps them for all engines.
const scene = openScene();
const home = scene.directory("home");

/** Agents whose programs and packages differ; of Codex the current release, and one whose package is laid out otherwise. */
const ENTRIES = [
  { agent: "codex", version: "latest", says: /^codex-cli \d+\.\d+\.\d+\n$/ },
  { agent: "codex", version: "0.99.0", says: /^codex-cli 0\.99\.0\n$/ },
  { agent: "claude", version: "latest", says: /^\d+\.\d+\.\d+ \(Claude Code\)\n$/ },
];

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const made = new Set<string>();
    afterAll(async () => {
      for (const image of made) await askEngine(engine, ["rmi", image]);
    });

    describe.skipIf(whyNoAgents !== undefined)(`entries${whyNoAgents ?? ""}`, () => {
      test.each(ENTRIES)("the real $agent of version $version runs", async ({ agent, version, says }) => {
        const base = `localhost/entry-${scene.id}:1`;
        await askEngine(engine, ["tag", BASE_IMAGE, base]);
        const json = { custom_base_image: base, data_volumes_mode: "never", [`${agent}_version`]: version };
        const folder = scene.workspace({ "cooper.jsonc": { json } });
        const options = { engine, home, cwd: folder, env: { HOME: home } };
        const { stdout, stderr } = await runCooper([agent, "--version"], options);
        expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringMatching(says) });
        const built = await runCooper(["build", "--agent", agent], options);
        const [image = ""]: string[] = JSON.parse(built.stdout).imageName;
        made.add(image).add(base);
        expect(built.stderr).toContain("Nothing changed");
        expect(image).toStartWith(`ocx-${agent}-localhost-entry-`);
      });
    });
  });
}
