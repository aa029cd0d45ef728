import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const withoutDocker = { COOPER_TEST_DOCKER: "/nonexistent/docker", COOPER_TEST_DOCKER_CONTAINERD: undefined };

/** Runs one group on docker in a `bun test` of its own, on a machine where docker is not to be had. */
async function runGroupWithoutDocker(required: string) {
  const directory = mkdtempSync(join(tmpdir(), "cooper-engines-"));
  const source = `import { test } from "bun:test";
import { describeEngine } from ${JSON.stringify(join(import.meta.dir, "engines.ts"))};
describeEngine("docker", () => { test("builds", () => {}); });\n`;
  writeFileSync(join(directory, "group.test.ts"), source);
  const child = Bun.spawn([process.execPath, "test"], {
    cwd: directory,
    env: {
      ...process.env,
      ...withoutDocker,
      COOPER_TEST_PODMAN: "/nonexistent/podman",
      COOPER_REQUIRE_ENGINES: required,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  rmSync(directory, { recursive: true });
  return { output: stdout + stderr, exitCode };
}

test("tests of an engine that is not there are skipped, and say why", async () => {
  const { output, exitCode } = await runGroupWithoutDocker("");
  expect(output).toContain("(skip) docker (skipped: it does not answer: /nonexistent/docker is not on PATH) > builds");
  expect(output).toContain(" 1 skip");
  expect(exitCode).toBe(0);
});

test("an engine that must be there and is not is a failure, which says why", async () => {
  const { output, exitCode } = await runGroupWithoutDocker("podman docker");
  expect(output).toContain("error: it does not answer: /nonexistent/docker is not on PATH");
  expect(output).toContain(" 1 fail");
  expect(exitCode).toBe(1);
});
