import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE_IMAGE, cooperCommand, describeEngine, type TestEngine } from "./engines.ts";
import { writeFiles } from "./workspace.ts";

const UNCONFINED = ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"];
const FEATURE = {
  "project/.devcontainer/devcontainer.json": `{"image": "${BASE_IMAGE}", "features": {"./mark": {}}}`,
  "project/.devcontainer/mark/devcontainer-feature.json": '{"id": "mark", "version": "1.0.0"}',
  "project/.devcontainer/mark/install.sh": "#!/bin/sh\nset -e\nid -u\nuseradd -m ada\nchown ada /opt\n",
};
const SCRIPT = `set -e
/cooper/cooper image copy oci-archive:/cooper/base.tar store:${BASE_IMAGE} >/dev/null
cp -r /cooper/project /tmp/project
/cooper/cooper build --backend native --workspace-folder /tmp/project --image-name made:1
/cooper/cooper image run made:1 stat -c %U /opt`;

/** Runs a script in a container that has the executable, a base image, a project and a volume for the store. */
async function inContainer(engine: TestEngine, options: readonly string[], script: string) {
  const folder = mkdtempSync(join(tmpdir(), "cooper-in-container-"));
  try {
    const { command, cwd, env } = cooperCommand(
      ["image", "copy", `engine:${BASE_IMAGE}`, `oci-archive:${folder}/base.tar`],
      {
        home: join(folder, "home"),
        engine,
      },
    );
    mkdirSync(join(folder, "home"));
    const copied = Bun.spawnSync(command, { cwd, env });
    if (copied.exitCode !== 0) throw new Error(copied.stderr.toString());
    copyFileSync(command[0] ?? "", join(folder, "cooper"));
    writeFiles(folder, FEATURE);
    const mounts = ["--volume", `${folder}:/cooper:ro`, "--volume", "/root/.local/share/cooper"];
    const child = Bun.spawn([engine.path, "run", "--rm", ...mounts, ...options, BASE_IMAGE, "sh", "-c", script], {
      env: { ...process.env, ...engine.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { stdout, stderr, exitCode };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    const options = name === "docker" ? UNCONFINED : ["unmask=ALL"];
    const allowed = options.flatMap((option) => ["--security-opt", option]);

    test.each([
      ["that allows namespaces", allowed],
      ["that is privileged", ["--privileged"]],
    ])(
      "in a container %s, cooper builds by itself with the users that images have",
      async (_what, flags) => {
        const { stdout, stderr, exitCode } = await inContainer(engine, flags, SCRIPT);
        expect([exitCode, stdout.trim().split("\n").at(-1)], stderr).toEqual([0, "ada"]);
      },
      120_000,
    );

    test("in a container that allows nothing, a build says what is forbidden and how to start the container", async () => {
      const { stdout, exitCode } = await inContainer(engine, [], SCRIPT);
      expect(exitCode).toBe(1);
      const { message } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      expect(message).toContain(name === "docker" ? "unshare failed: Operation not permitted" : "mount proc");
      const doctor = await inContainer(engine, [], "/cooper/cooper doctor --backend native --json");
      const { checks }: { checks: { id: string; status: string; remedy?: string }[] } = JSON.parse(doctor.stdout);
      expect(checks.filter(({ status }) => status === "problem")).toMatchObject([
        { id: "native-namespaces", remedy: expect.stringContaining(`--security-opt ${options.at(-1)}`) },
      ]);
    }, 120_000);
  });
}
