import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { startShellRegistry } from "./agent-shell.ts";
import { askEngine } from "./builders.ts";
import { availableEngines, BASE_IMAGE } from "./engines.ts";
import { findOrdinaryUser, openUserScene } from "./ordinary-user.ts";
import { writeFiles } from "./workspace.ts";

const user = findOrdinaryUser();
const engine = availableEngines().find(({ name }) => name === "podman");
const scene = await openRootless();
const skipped = "reason" in scene ? ` (skipped: ${scene.reason})` : "";

describe.skipIf(skipped !== "")(`agents of a rootless podman${skipped}`, () => {
  if ("reason" in scene) test("agents", () => undefined);
  else tests(scene);
});

type Rootless = Exclude<Awaited<ReturnType<typeof openRootless>>, { readonly reason: string }>;

/** A user's podman with a store of its own that has the base image; a reason where it cannot be had. */
async function openRootless() {
  if (typeof user === "string") return { reason: user };
  if (engine?.reason !== undefined || engine === undefined) return { reason: engine?.reason ?? "there is no podman" };
  const { folder, cooper, run, remove } = openUserScene(user);
  afterAll(remove);
  const registry = startShellRegistry();
  const [runtime, archive] = [join(folder, "runtime"), join(folder, "base.tar")];
  mkdirSync(runtime, { mode: 0o700 });
  writeFiles(join(folder, ".config", "containers"), {
    "storage.conf": '[storage]\ndriver = "overlay"\n',
    "containers.conf":
      '[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n',
  });
  await askEngine(engine, ["save", "--quiet", "--output", archive, BASE_IMAGE]);
  chmodSync(archive, 0o644);
  const owned = [runtime, ".config", ".config/containers"].map((path) =>
    path === runtime ? path : join(folder, path),
  );
  for (const path of owned) chownSync(path, user.uid, user.gid);
  const env = {
    XDG_RUNTIME_DIR: runtime,
    COOPER_DOCKER_PATH: engine.path,
    npm_config_registry: registry,
    COOPER_USERNAME: "ada",
    COOPER_DATA_VOLUMES_MODE: "always",
  };
  const podman = (args: readonly string[]) => run([engine.path, ...args], { env });
  await podman(["load", "--quiet", "--input", archive]);
  const answer = await podman(["run", "--rm", "--pull=never", BASE_IMAGE, "true"]);
  if (answer.exitCode !== 0)
    return { reason: `a user's podman cannot run: ${answer.stderr.trim().split("\n").at(-1)}` };
  const project = join(folder, "project");
  writeFiles(project, {
    "cooper.jsonc": {
      json: { custom_base_image: BASE_IMAGE, forbidden_paths: ["secrets"] },
    },
    "secrets/a": "hidden",
  });
  for (const path of [project, join(project, "secrets")]) chownSync(path, user.uid, user.gid);
  const agent = (...words: string[]) =>
    run(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", project, cooper, ...words], { env });
  return { folder, project, podman, agent, uid: user.uid, gid: user.gid };
}

function tests({ folder, project, podman, agent, uid, gid }: Rootless) {
  test("the agent works with the caller's ids, in a home and with volumes that it can write to, and what it makes is theirs", async () => {
    const script =
      'id -u; id -g; touch made ~/x ~/.cache/x ~/.local/x ~/.local/share/x ~/.config/opencode/x "$TMPDIR/x" && cat secrets/a 2>/dev/null; ls secrets';
    const { stdout, exitCode } = await agent("opencode", "sh", "-c", script);
    expect({ stdout, exitCode }).toMatchObject({ stdout: `${uid}\n${gid}\n` });
    const made = statSync(join(project, "made"));
    expect([made.uid, made.gid]).toEqual([uid, gid]);
    const volumes = (await podman(["volume", "ls", "--quiet", "--filter", "label=dev.cooper.agent.volumes"])).stdout;
    expect(volumes).toMatch(/^ocx-dir-[0-9a-f]{12}-cache\nocx-dir-[0-9a-f]{12}-local\n$/);
  });

  test("the second time nothing is built, and what was kept in volumes is there", async () => {
    const { stdout, stderr } = await agent("opencode", "ls", "/home/ada/.cache");
    expect(stdout).toBe("x\n");
    expect(stderr).not.toMatch(/STEP|Download/);
  });

  test("nothing of the user's is reached, nothing guarded is changed, and there are no rights to be had", async () => {
    writeFiles(folder, { ".ssh/id_ed25519": "private" });
    const script = `cat ${folder}/.ssh/id_ed25519 2>/dev/null
      for path in cooper.jsonc ocx.env .devcontainer; do (echo evil >$path) 2>/dev/null && echo "wrote $path"; done
      grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status | tr -s '\\t' ' '`;
    const { stdout } = await agent("opencode", "sh", "-c", script);
    expect(stdout).toBe("CapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n");
  });

  test("preflight tells the caller's ids", async () => {
    const { stdout } = await agent("agent", "preflight", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ user: `${uid}:${gid}`, network: "bridge", capabilities: [] });
  });
}
