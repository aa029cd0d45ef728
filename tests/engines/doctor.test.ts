import { expect, test } from "bun:test";
import { describeEngine, runCooper, type TestEngine } from "./engines.ts";

async function examine(engine: TestEngine, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, exitCode } = await runCooper(["doctor", "--json", ...args], { engine, env });
  const { checks, ok } = JSON.parse(stdout);
  const find = (id: string) => checks.find((check: { id: string }) => check.id === id);
  return { checks, ok, find, stderr, exitCode };
}

for (const name of ["docker", "docker-containerd", "podman"] as const) {
  describeEngine(name, (engine) => {
    test("doctor names the engine, its builder and where its images are", async () => {
      const { find, ok, exitCode } = await examine(engine);
      expect(exitCode).toBe(ok ? 0 : 1);
      expect(find("engine").status).toBe("ok");
      expect(find("engine").detail).toContain("named by COOPER_DOCKER_PATH");
      expect(find("engine").detail).toContain(name === "podman" ? "podman " : "docker ");
      expect(find("builder").detail).toContain(name === "podman" ? "podman build" : "buildx");
      expect(find("cgroups").detail).toMatch(/^version [12]/);
      expect(find("storage").detail).toMatch(/overlay|vfs|btrfs|zfs|native/);
      expect(find("disk-images").detail).toMatch(/(GB|MB) free at \//);
    });

    test("doctor --run builds an image and runs it without any registry, and leaves nothing behind", async () => {
      const { find } = await examine(engine, ["--run"]);
      expect(find("run")).toEqual({
        id: "run",
        status: "ok",
        title: "Test run",
        detail: "an image was built, a container of it ran, and both are gone again",
      });
      const images = Bun.spawnSync([engine.path, "images", "--format", "{{.Repository}}"], {
        env: { ...process.env, ...engine.env },
      });
      expect(images.stdout.toString()).not.toContain("cooper/doctor");
    }, 120_000);
  });
}

describeEngine("docker", (engine) => {
  test("a daemon that is not there is a problem, with the client's own words and exit code 1", async () => {
    const { find, exitCode, stderr } = await examine(engine, [], { DOCKER_HOST: "unix:///nonexistent/docker.sock" });
    expect(find("engine")).toMatchObject({ status: "problem", remedy: expect.stringContaining("unset DOCKER_HOST") });
    expect(find("engine").detail).toContain("is not running (");
    expect([exitCode, stderr]).toEqual([1, ""]);
  });

  test("a buildx builder that does not exist is a problem", async () => {
    const { find } = await examine(engine, [], { BUILDX_BUILDER: "cooper-nonexistent" });
    expect(find("builder")).toMatchObject({ status: "problem", detail: expect.stringContaining("cooper-nonexistent") });
  });

  test("people get lines with marks and words, without colours when nobody looks", async () => {
    const { stdout } = await runCooper(["doctor"], { engine });
    expect(stdout).toMatch(/^✔ ok {7}cooper/);
    expect(Bun.stripANSI(stdout)).toBe(stdout);
  });
});
