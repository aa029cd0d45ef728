import { describe, expect, test } from "bun:test";
import { openAgentScene, whyNoAgents } from "./agent-scene.ts";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, type TestEngine } from "./engines.ts";
import { hasImage } from "./workspace.ts";

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(whyNoAgents !== undefined)(`plans of agents${whyNoAgents ?? ""}`, () => planTests(engine));
  });
}

function planTests(engine: TestEngine) {
  const { project, cooper, baseImage, id } = openAgentScene(engine);

  test("plan of an agent's image says what build then does, and builds nothing", async () => {
    const base = await baseImage(engine, "planned", `RUN : ${id}`);
    const folder = project({ custom_base_image: base });
    const planned = JSON.parse(
      (await cooper(folder, ["plan", "--agent", "opencode", "--image-name", `${id}:1`])).stdout,
    );
    const tags: string[] = [...planned.tags];
    expect(planned).toMatchObject({ base: null, upToDate: false, tags: [expect.stringMatching(/^ocx-/), `${id}:1`] });
    expect(planned.plan.source.base.reference).toBe(base);
    expect(await hasImage(engine, `${id}:1`)).toBe(false);
    const dockerfile = (await cooper(folder, ["plan", "--dockerfile"])).stdout;
    expect(dockerfile).toContain(`FROM ${base} `);
    expect(dockerfile).toContain('CMD ["opencode"]');
    const argv = (await cooper(folder, ["plan", "--agent", "codex", "--argv"])).stdout;
    expect(argv).toMatch(/ build .*-t ocx-codex-/);

    const built = await cooper(folder, ["build", "--agent", "opencode", "--image-name", `${id}:1`]);
    expect(JSON.parse(built.stdout)).toEqual({ outcome: "success", imageName: tags });
    const label = ["image", "inspect", "--format", '{{index .Config.Labels "dev.cooper.plan"}}', `${id}:1`];
    expect((await runEngine(engine, label)).trim()).toBe(planned.hash);
    expect(JSON.parse((await cooper(folder, ["plan"])).stdout)).toMatchObject({ hash: planned.hash, upToDate: true });
    // Another name for what is there already is made, too.
    expect((await cooper(folder, ["build", "--image-name", `${id}:2`])).exitCode).toBe(0);
    expect(await hasImage(engine, `${id}:2`)).toBe(true);
    await runEngine(engine, ["rmi", `${id}:1`, `${id}:2`, tags[0] ?? ""]);
  });

  test("a base that is built first is planned alone until it is there, and with --base beside the agent's image", async () => {
    const folder = project(
      { custom_base_dockerfile: "Dockerfile" },
      { Dockerfile: `FROM ${BASE_IMAGE}\nRUN : ${id}\n` },
    );
    const first = await cooper(folder, ["plan", "--agent", "opencode"]);
    expect(JSON.parse(first.stdout)).toMatchObject({ hash: null, plan: null, base: { upToDate: false } });
    expect(first.stderr).toContain("This is the base alone, which is built first");
    expect((await cooper(folder, ["plan", "--dockerfile"])).stdout).toContain(`RUN : ${id}`);
    await cooper(folder, ["build"]);
    const both = (await cooper(folder, ["plan", "--dockerfile", "--base"])).stdout;
    expect(both).toMatch(new RegExp(`RUN : ${id}[^]*COPY .*/usr/local/bin/opencode`));
    expect((await cooper(folder, ["plan", "--dockerfile"])).stdout).not.toContain(`RUN : ${id}`);
  });

  test("a base that would be pulled first is told, and not pulled", async () => {
    const { exitCode, stdout, stderr } = await cooper(project({ custom_base_image: "localhost/not-there:1" }), [
      "plan",
    ]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "error" });
    expect(stderr).toContain("localhost/not-there:1 is not in the engine: it would be pulled first");
  });

  test("upgrade asks for the build that the project's base needs: a base that only looks like musl's, as there is no Alpine here", async () => {
    const loader = "RUN rm -f /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1";
    const image = await baseImage(
      engine,
      "musl",
      `RUN touch /lib/ld-musl-x86_64.so.1 /lib/ld-musl-aarch64.so.1\n${loader}\n`,
    );
    const listed = await cooper(project({ custom_base_image: image }), ["agent", "upgrade", "opencode", "--json"]);
    expect(JSON.parse(listed.stdout)[0].variant).toMatch(/-musl$/);
    const usual = await cooper(project({ custom_base_image: BASE_IMAGE }), ["agent", "upgrade", "opencode", "--json"]);
    expect(JSON.parse(usual.stdout)[0].variant).not.toMatch(/-musl$/);
  });

  test("upgrade --check tells with its exit code: nothing newer, something newer, not to be found out", async () => {
    const check = ["agent", "upgrade", "opencode", "--check"];
    const folder = project({ custom_base_image: BASE_IMAGE });
    expect((await cooper(folder, check)).exitCode).toBe(0);
    const pinned = await cooper(project({ custom_base_image: BASE_IMAGE, opencode_version: "1.0.0" }), check);
    expect(pinned.exitCode).toBe(2);
    expect(pinned.stdout).toMatch(
      /^opencode \d+\.\d+\.\d+ \(.+\): newer, .*1\.0\.0 is wanted by .*cooper\.jsonc, and stays\n$/,
    );
    const away = await cooper(folder, check, { npm_config_registry: "http://127.0.0.1:1/" });
    expect(away).toMatchObject({ exitCode: 1, stdout: "" });
  });
}
