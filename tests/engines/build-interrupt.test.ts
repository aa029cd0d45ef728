import { afterAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { describeBuilders, runInImage, type TestBuilder } from "./builders.ts";
import { BASE_IMAGE, type CooperResult, cooperCommand, type TestEngine } from "./engines.ts";
import { processesWith, until } from "./processes.ts";
import {
  devcontainerJson,
  hasImage,
  imageOf,
  leftoverBuilds,
  leftoverContentImages,
  localFeature,
  openScene,
  readOutcome,
} from "./workspace.ts";

/** Starts the executable in a process group of its own. */
function startCooper(args: readonly string[], options: { engine: TestEngine; home: string }) {
  const { command, cwd, env } = cooperCommand(args, options);
  const child = Bun.spawn(command, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
  const output = Promise.all([child.stdout.text(), child.stderr.text()]);
  return {
    child,
    ended: async (): Promise<CooperResult> => {
      const [stdout, stderr] = await output;
      return { exitCode: await child.exited, stdout, stderr };
    },
  };
}

describeBuilders((builder) => {
  const { engine } = builder;
  const scene = openScene();
  const home = scene.directory("home");
  const nap = `sleep 1000.${Number.parseInt(scene.id.slice(0, 8), 16)}`;

  afterAll(() => {
    for (const { id } of processesWith(nap)) process.kill(id, "SIGKILL");
  });

  async function interrupt(args: readonly string[], signal: "SIGINT" | "SIGTERM"): Promise<CooperResult> {
    const { child, ended } = startCooper(["build", "--log-level", "debug", ...builder.flags, ...args], {
      engine,
      home,
    });
    await until(
      () => processesWith(nap).length > 0 || child.exitCode !== null,
      () => "the Feature does not begin",
    );
    if (child.exitCode !== null) throw new Error(`there was nothing to interrupt: ${(await ended()).stderr}`);
    // As a terminal does it, to everything in the group; as a supervisor does it, to the one process.
    process.kill(signal === "SIGINT" ? -child.pid : child.pid, signal);
    return ended();
  }

  test("an interrupted build leaves nothing behind, and is built when it is asked for again", async () => {
    const base = await scene.baseImage(engine, "base", "RUN touch /nap");
    const folder = scene.workspace({
      ...devcontainerJson({ build: { dockerfile: "Dockerfile" }, features: { "./slow": {} } }),
      ".devcontainer/Dockerfile": `FROM ${base}\n`,
      ...localFeature("slow", `if [ -e /nap ]; then ${nap}; fi\necho done >/done`),
    });
    const name = scene.imageName(engine, "slow");
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const run = await interrupt(["--workspace-folder", folder, "--image-name", name], signal);
      expect(run.exitCode).toBe(signal === "SIGINT" ? 130 : 143);
      expect(readOutcome(run)).toEqual({
        outcome: "error",
        message: `Interrupted by ${signal}.`,
        description: "An error occurred building the container.",
      });
      expect(run.stderr).not.toContain("This is a bug");
      expect(leftoverBuilds(home)).toEqual([]);
      await until(
        () => processesWith(nap).length === 0 && processesWith(home).length === 0,
        () => JSON.stringify([processesWith(nap), processesWith(home)]),
      );
      expect(await leftoverContentImages(engine, run)).toEqual([]);
      expect(await hasImage(engine, name)).toBe(false);
    }
    await scene.baseImage(engine, "base", "RUN true");
    const run = await scene.build(builder, folder, { home, args: ["--image-name", name] });
    expect(await runInImage(engine, imageOf(run), "cat /done")).toBe("done\n");
  });
});

describeBuilders(
  (builder: TestBuilder) => {
    const scene = openScene();

    test("a build that waits for a registry is interrupted too", async () => {
      const home = scene.directory("home");
      const asked = Promise.withResolvers<void>();
      const silent = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        idleTimeout: 0,
        fetch: () => {
          asked.resolve();
          return new Promise<Response>(() => undefined);
        },
      });
      const features = { [`127.0.0.1:${silent.port}/silent/feature:1`]: {} };
      const folder = scene.workspace(devcontainerJson({ image: BASE_IMAGE, features }));
      const { child, ended } = startCooper(["build", "--workspace-folder", folder], { engine: builder.engine, home });
      await asked.promise;
      process.kill(child.pid, "SIGTERM");
      const result = await ended();
      await silent.stop(true);
      expect(readOutcome(result)).toMatchObject({ message: "Interrupted by SIGTERM." });
      expect(result.exitCode).toBe(143);
      expect(readdirSync(folder, { recursive: true })).toEqual([".devcontainer", ".devcontainer/devcontainer.json"]);
    });
  },
  ["BuildKit"],
);
