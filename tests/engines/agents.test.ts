import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import * as v from "valibot";
import { askEngine } from "./builders.ts";
import { BASE_IMAGE, cooperCommand, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import { type Files, openScene, writeFiles } from "./workspace.ts";

const scene = openScene();
const inspected = v.tuple([
  v.object({
    Mounts: v.array(
      v.object({ Type: v.string(), Source: v.optional(v.string(), ""), Destination: v.string(), RW: v.boolean() }),
    ),
    Config: v.object({ Env: v.array(v.string()), User: v.string(), Labels: v.record(v.string(), v.string()) }),
    HostConfig: v.object({ NetworkMode: v.string(), PidsLimit: v.number(), Memory: v.number() }),
  }),
]);
const preflightSchema = v.object({
  user: v.string(),
  mounts: v.array(v.object({ type: v.string(), source: v.optional(v.string()), target: v.string(), mode: v.string() })),
  environment: v.object({ set: v.record(v.string(), v.string()), passed: v.array(v.string()) }),
  network: v.string(),
  limits: v.object({ memory: v.string(), pids: v.number() }),
});

/** Why real agents cannot be downloaded here, if so. */
const reason = await whyNoPackages();

async function whyNoPackages(): Promise<string | undefined> {
  const npm = Bun.spawnSync(["npm", "view", "opencode-linux-x64", "version"], { stdout: "pipe", stderr: "pipe" });
  return npm.exitCode === 0 ? undefined : "the npm registry does not answer";
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    describe.skipIf(reason !== undefined)(`agents${reason === undefined ? "" : ` (skipped: ${reason})`}`, () =>
      agentTests(engine),
    );
  });
}

function agentTests(engine: TestEngine) {
  const home = scene.directory("home");
  const made = new Set<string>();
  const volumes = new Set<string>();
  const folders: string[] = [];
  afterAll(async () => {
    for (const id of made) await askEngine(engine, ["rm", "--force", id]);
    for (const volume of volumes) await askEngine(engine, ["volume", "rm", volume]);
    const list = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "label=dev.cooper.agent"];
    const ours = (await askEngine(engine, list)).stdout
      .split("\n")
      .filter((name) => folders.some((folder) => name.includes(folder)));
    for (const image of ours) await askEngine(engine, ["rmi", "--force", image]);
  });

  function project(settings: object, files: Files = {}) {
    const json = { data_volumes_mode: "never", ...settings };
    const folder = scene.workspace({ "cooper.jsonc": { json }, ...files });
    folders.push(basename(folder).toLowerCase());
    Bun.spawnSync(["git", "init", "-q", folder]);
    return folder;
  }
  const env = {
    HOME: home,
    SSH_AUTH_SOCK: "/tmp/agent.sock",
    ANTHROPIC_API_KEY: "key-of-a-test",
    AWS_SECRET_ACCESS_KEY: "never",
  };
  const cooper = (cwd: string, args: readonly string[]) => runCooper(args, { engine, home, cwd, env });

  test("the real opencode runs on an existing image, and the second time nothing is built", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    const first = await cooper(folder, ["opencode", "--version"]);
    expect(first.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const second = await cooper(folder, ["o", "--version"]);
    expect(second).toEqual({ exitCode: 0, stdout: first.stdout, stderr: "" });
  });

  test("it runs on a Dockerfile of the project, which is built again when it changes, and whose entrypoint is not asked", async () => {
    const dockerfile = (line: string) => `FROM ${BASE_IMAGE}\n${line}\nENTRYPOINT ["/bin/false"]\nUSER 12345\n`;
    const folder = project(
      { custom_base_dockerfile: "docker/Dockerfile" },
      { "docker/Dockerfile": dockerfile(`RUN : one ${scene.id}`) },
    );
    expect((await cooper(folder, ["opencode", "--version"])).exitCode).toBe(0);
    writeFiles(folder, { "docker/Dockerfile": dockerfile(`RUN : two ${scene.id}`) });
    const changed = await cooper(folder, ["build", "--agent", "opencode"]);
    expect(changed.stderr).toContain(": two");
    expect((await cooper(folder, ["build"])).stderr).toContain("Nothing changed");
  });

  test("a Dockerfile in the user's own folder is found where the project has none", async () => {
    const folder = project({ custom_base_dockerfile: "tools/Dockerfile" });
    writeFiles(join(home, "config", "cooper"), { "tools/Dockerfile": `FROM ${BASE_IMAGE}\n` });
    expect((await cooper(folder, ["opencode", "--version"])).exitCode).toBe(0);
    const missing = await cooper(project({ custom_base_dockerfile: "none/Dockerfile" }), ["opencode"]);
    expect(missing).toMatchObject({ exitCode: 1, stdout: "" });
    expect(missing.stderr).toContain('custom_base_dockerfile "none/Dockerfile" was not found: looked at ');
  });

  test("it runs on a dev container with Features", async () => {
    const folder = scene.workspace({
      ".devcontainer/devcontainer.json": {
        json: { image: BASE_IMAGE, remoteUser: "root", features: { "./mark": {} } },
      },
      ".devcontainer/mark/devcontainer-feature.json": { json: { id: "mark", version: "1.0.0" } },
      ".devcontainer/mark/install.sh": `#!/bin/sh\necho ${scene.id} >/usr/local/share/mark\n`,
    });
    folders.push(basename(folder).toLowerCase());
    const built = await cooper(folder, ["build", "--agent", "opencode"]);
    expect(built.stdout).toContain('"imageName":["ocx-localhost-cooper-');
    const { stdout } = await cooper(folder, ["opencode", "--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const [image] = JSON.parse(built.stdout).imageName;
    const look = ["run", "--rm", "--pull=never", image, "cat", "/usr/local/share/mark"];
    expect((await askEngine(engine, look)).stdout).toBe(`${scene.id}\n`);
  });

  test("it runs on the stock base, whose packages come from Debian", async () => {
    const folder = scene.workspace({ "a.txt": "" });
    const env = { COOPER_DATA_VOLUMES_MODE: "never" };
    const options = { engine, home, cwd: folder, env: { HOME: home, ...env } };
    const { stdout } = await runCooper(["opencode", "--version"], options);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const image = ["image", "inspect", `ocx:${stdout.trim()}`];
    expect((await askEngine(engine, image)).exitCode).toBe(0);
  });

  test("it runs on a base that has a C library and nothing else, not even a shell", async () => {
    const lines = ["mkdir -p /out/usr", "cp -a /lib /out", "cp -a /lib64 /out || :", "cp -a /usr/lib* /out/usr"];
    const dockerfile = `FROM ${BASE_IMAGE} AS whole\nRUN ${lines.join(" && ")}\nFROM scratch\nCOPY --from=whole /out /\n`;
    const folder = project({ custom_base_dockerfile: "Dockerfile" }, { Dockerfile: dockerfile });
    expect((await cooper(folder, ["opencode", "--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("an image that is not there, and cannot be had, is told with both ways out", async () => {
    const { exitCode, stderr } = await cooper(project({ custom_base_image: "localhost/not-there:1" }), ["opencode"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "localhost/not-there:1 is not there and cannot be pulled, and no custom_base_dockerfile says how to build it",
    );
  });

  test("inside there is the project and nothing else, and what preflight tells is what the container has", async () => {
    const folder = project(
      { custom_base_image: BASE_IMAGE, forbidden_paths: ["secrets", "key.pem", "link"], data_volumes_mode: "git" },
      { "secrets/a": "hidden", "key.pem": "hidden", "deep/b": "hidden", "ocx.env": "FROM_FILE=1\n" },
    );
    symlinkSync("deep", join(folder, "link"));
    const preflight = await cooper(folder, ["agent", "preflight", "opencode", "--json"]);
    const told = v.parse(preflightSchema, JSON.parse(preflight.stdout));
    for (const { type, source = "" } of told.mounts) if (type === "volume") volumes.add(source);
    const { id, place } = await start(folder);
    const inside = async (script: string) => (await askEngine(engine, ["exec", id, "sh", "-c", script])).stdout;
    const [container] = v.parse(inspected, JSON.parse((await askEngine(engine, ["inspect", id])).stdout));

    const mounts = container.Mounts.filter(({ Type }) => Type === "bind" || Type === "volume");
    const listed = told.mounts.filter(({ type }) => type !== "tmpfs");
    expect(mounts.map(({ Destination, RW }) => `${Destination} ${RW ? "rw" : "ro"}`).toSorted()).toEqual(
      listed.map(({ target, mode }) => `${target} ${mode}`).toSorted(),
    );
    const names = new Set(container.Config.Env.map((entry) => entry.split("=")[0]));
    for (const name of [...Object.keys(told.environment.set), ...told.environment.passed])
      expect(names).toContain(name);
    expect(container.Config.User).toBe(told.user);
    expect(container.HostConfig).toMatchObject({ PidsLimit: told.limits.pids, Memory: 1024 ** 3 });
    expect(told.environment.passed).toEqual(["ANTHROPIC_API_KEY"]);

    expect(await inside("env")).not.toMatch(/SSH_AUTH_SOCK|AWS_SECRET|never/);
    expect(await inside("grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status")).toMatch(
      /CapEff:\s0+\nCapBnd:\s0+\nNoNewPrivs:\s1\n/,
    );
    expect(
      await inside("ls /var/run/docker.sock /run/podman /root/.ssh /root/.aws 2>/dev/null; ls -a /root"),
    ).not.toMatch(/sock|ssh|aws/);
    expect(await inside(`cat ${place}/secrets/a ${place}/key.pem ${place}/deep/b ${place}/link/b 2>/dev/null`)).toBe(
      "",
    );
    const writes = ["cooper.jsonc", ".git/config", ".git/hooks/pre-commit", "ocx.env"].map(
      (path) => `(echo x >>${place}/${path}) 2>/dev/null && echo ${path}`,
    );
    expect(await inside(writes.join("; "))).toBe("");
    expect(await inside(`mv ${place}/.git ${place}/other 2>/dev/null && echo moved`)).toBe("");
    await inside(`echo mine >${place}/made`);
    expect(readFileSync(join(folder, "made"), "utf8")).toBe("mine\n");
  });

  test("an agent that runs is found by its folder: listed, worked beside, ended", async () => {
    const folder = project({ custom_base_image: BASE_IMAGE });
    expect((await cooper(folder, ["agent", "exec", "true"])).stderr).toContain("No agent runs in ");
    const { id, place } = await start(folder);
    const listed = await cooper(folder, ["agent", "ps", "--json"]);
    expect(JSON.parse(listed.stdout)).toEqual([expect.objectContaining({ id, name: expect.stringMatching(/^ocx-/) })]);
    const beside = await cooper(folder, ["agent", "exec", "sh", "-c", "pwd; exit 7"]);
    expect(beside).toMatchObject({ exitCode: 7, stdout: `${place}\n` });
    const elsewhere = project({ custom_base_image: BASE_IMAGE });
    expect(JSON.parse((await cooper(elsewhere, ["agent", "ps", "--json"])).stdout)).toEqual([]);
    expect((await cooper(folder, ["agent", "stop"])).stderr).toContain("Ended ocx-");
    expect((await cooper(folder, ["agent", "stop"])).stderr).toContain("Nothing runs");
    const versions: unknown = JSON.parse((await cooper(folder, ["agent", "list", "--json"])).stdout);
    expect(versions).toContainEqual(
      expect.objectContaining({ agent: "opencode", wanted: "latest", kept: [expect.stringMatching(/^\d+\.\d+/)] }),
    );
    const upgrade = await cooper(folder, ["agent", "upgrade", "opencode", "--check"]);
    expect(upgrade.stdout).toMatch(/^opencode \d+\.\d+\.\d+ \(.+\): up to date, on this machine: /);
  });

  test("a hostile project's file gets nothing, and a path that leads out of the project is refused", async () => {
    const hostile = project({
      custom_base_image: BASE_IMAGE,
      network: "host",
      env_file: "~/.aws/credentials",
      opencode_config_dir: "/",
    });
    const { stdout, stderr } = await cooper(hostile, ["agent", "preflight", "--json"]);
    expect(v.parse(preflightSchema, JSON.parse(stdout))).toMatchObject({ network: "bridge" });
    expect(stdout).not.toContain('"source":"/"');
    writeFiles(home, { credentials: "SECRET=1\n" });
    const linked = project({ custom_base_image: BASE_IMAGE });
    symlinkSync(join(home, "credentials"), join(linked, "ocx.env"));
    expect((await cooper(linked, ["agent", "preflight", "--json"])).stdout).toContain('"files":[]');
    for (const key of ["network", "env_file", "opencode_config_dir"]) expect(stderr).toContain(`${key} is ignored`);
    const leading = await cooper(project({ custom_base_image: BASE_IMAGE, forbidden_paths: ["../.."] }), ["opencode"]);
    expect(leading.stderr).toContain("leads out of the workspace");
    const spaces = await cooper(project({ container_name: "a b" }), ["opencode"]);
    expect(spaces.stderr).toMatch(/cooper\.jsonc:\d+:\d+: container_name is "a b"; wanted a name/);
  });

  /** An agent that runs until the test file ends, and where its project is in the container. */
  async function start(folder: string): Promise<{ id: string; place: string }> {
    const {
      command,
      cwd,
      env: ofCooper,
    } = cooperCommand(["opencode", "serve", "--port", "4096"], { engine, home, cwd: folder, env });
    const child = Bun.spawn([...command], { cwd, env: ofCooper, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    const ask = ["ps", "--quiet", "--no-trunc", "--filter", `label=dev.cooper.agent.workspace=${folder}`];
    for (let round = 0; round < 200; round += 1) {
      const id = (await askEngine(engine, ask)).stdout.trim();
      if (id !== "") {
        made.add(id);
        const place = (await askEngine(engine, ["exec", id, "pwd"])).stdout.trim();
        if (place !== "") return { id, place };
      }
      if (child.exitCode !== null) break;
      await Bun.sleep(100);
    }
    throw new Error(`No agent runs: it ended with ${child.exitCode}.`);
  }
}
