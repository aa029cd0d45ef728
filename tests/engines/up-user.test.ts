import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { askEngine } from "./builders.ts";
import { BASE_IMAGE, cooperCommand, describeEngine, type TestEngine } from "./engines.ts";
import { openUpScene, readOutcome } from "./up-scene.ts";
import { devcontainerJson, type Files, writeFiles } from "./workspace.ts";

/** Who calls cooper: whoever runs the tests, or, where that is root, nobody that the machine or the image knows. */
const CALLER = process.getuid?.() === 0 ? { uid: 43210, gid: 43211 } : undefined;
const callerUid = CALLER?.uid ?? process.getuid?.() ?? 0;
const callerGid = CALLER?.gid ?? process.getgid?.() ?? 0;

/** A command line as the caller, who is in the group of the engine's socket. */
function asCaller(engine: TestEngine, command: readonly string[]): readonly string[] {
  if (CALLER === undefined) return command;
  const socket = (engine.env["DOCKER_HOST"] ?? process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").replace(
    "unix://",
    "",
  );
  const group = statSync(socket, { throwIfNoEntry: false })?.gid ?? CALLER.gid;
  return ["setpriv", `--reuid=${CALLER.uid}`, `--regid=${CALLER.gid}`, `--groups=${group}`, "--", ...command];
}

/** The engine with a client that everyone can run: root's own may lie in a folder that only root can enter. */
function lendClient(engine: TestEngine, folder: string): TestEngine {
  const config = engine.env["DOCKER_CONFIG"] ?? process.env["DOCKER_CONFIG"];
  if (CALLER === undefined || engine.reason !== undefined || !isAbsolute(engine.path)) return engine;
  const lent = { path: join(folder, "bin", "docker"), config: join(folder, "config") };
  cpSync(realpathSync(engine.path), lent.path, { recursive: true });
  if (config !== undefined && existsSync(config)) cpSync(config, lent.config, { recursive: true, dereference: true });
  return { ...engine, path: lent.path, env: { ...engine.env, DOCKER_CONFIG: lent.config } };
}

/** Why nobody but root can use the engine here, if so. */
async function whyNotCaller(engine: TestEngine): Promise<string | undefined> {
  if (engine.reason !== undefined) return engine.reason;
  if (CALLER !== undefined && Bun.which("setpriv") === null) return "there is no setpriv to become another user with";
  // The engine's client as a grandchild: setpriv itself still reaches what the caller does not.
  const child = Bun.spawn([...asCaller(engine, ["sh", "-c", 'exec "$0" version', engine.path])], {
    env: { ...process.env, ...engine.env, HOME: "/nowhere" },
    stdout: "ignore",
    stderr: "pipe",
  });
  const stderr = await child.stderr.text();
  return (await child.exited) === 0 ? undefined : (stderr.trim().split("\n").at(-1) ?? "");
}

function giveToCaller(path: string): void {
  chownSync(path, callerUid, callerGid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) giveToCaller(join(path, name));
}

describeEngine("docker", async (ownEngine) => {
  // Where others can go, which they cannot in the scene's folders.
  const root = mkdtempSync(join(tmpdir(), "cooper-user-"));
  chmodSync(root, 0o755);
  const engine = lendClient(ownEngine, join(root, "client"));
  const reason = await whyNotCaller(engine);
  const scene = openUpScene(engine);
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders)
      for (const { id } of await scene.containers(folder)) await askEngine(engine, ["rm", "--force", "--volumes", id]);
    rmSync(root, { recursive: true, force: true });
  });
  const home = join(root, "home");
  mkdirSync(home);

  function project(config: object, files: Files = {}): string {
    const folder = join(root, `project-${scene.id}-${folders.length}`);
    folders.push(folder);
    writeFiles(folder, { ...devcontainerJson(config), ...files });
    giveToCaller(root);
    return folder;
  }

  async function cooper(args: readonly string[]) {
    const { command, cwd, env } = cooperCommand(args, { engine, home });
    const child = Bun.spawn([...asCaller(engine, command)], {
      cwd,
      // The client of a test machine may keep its files where only root can write.
      env: { ...env, HOME: home, BUILDX_CONFIG: join(home, "buildx") },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { stdout, stderr, exitCode };
  }

  async function up(folder: string, args: readonly string[] = []): Promise<string> {
    const run = await cooper(["up", "--workspace-folder", folder, ...args]);
    const { containerId } = readOutcome(run);
    if (containerId === undefined) throw new Error(run.stderr);
    return containerId;
  }

  const DEVELOPER = {
    ".devcontainer/Dockerfile": [
      `FROM ${BASE_IMAGE}`,
      "RUN useradd -m dev && echo mine >/home/dev/file && chown -R dev:dev /home/dev && mkdir /opt/tool && chown dev /opt/tool",
      "RUN echo others >/home/dev/root-owned && mkdir /data && chown 7:7 /data",
    ].join("\n"),
  };
  const MADE = { build: { dockerfile: "Dockerfile" }, remoteUser: "dev", postCreateCommand: "touch made" };

  describe.skipIf(reason !== undefined)(
    `a caller who is not root${reason === undefined ? "" : ` (skipped: ${reason})`}`,
    () => {
      test("gets what the remote user makes in the workspace, and the remote user their own home, but nothing beyond it", async () => {
        const folder = project(MADE, DEVELOPER);
        const id = await up(folder);
        const { uid, gid } = statSync(join(folder, "made"));
        expect({ uid, gid }).toEqual({ uid: callerUid, gid: callerGid });
        const owners = "stat -c '%n %u:%g' /home/dev /home/dev/file /home/dev/root-owned /opt/tool /data";
        expect(await scene.inContainer(id, owners)).toBe(
          `/home/dev ${callerUid}:${callerGid}\n/home/dev/file ${callerUid}:${callerGid}\n/home/dev/root-owned 0:0\n/opt/tool 1000:0\n/data 7:7\n`,
        );
        const exec = await cooper(["exec", "--workspace-folder", folder, "sh", "-c", "id -un; id -u; echo $HOME"]);
        expect(exec.stdout).toBe(`dev\n${callerUid}\n/home/dev\n`);
      });

      test("keeps the image's ids with updateRemoteUserUID false, or --update-remote-user-uid-default", async () => {
        const ids = async (id: string) => (await scene.inContainer(id, "id -u dev")).trim();
        const skip = "--skip-post-create";
        expect(await ids(await up(project({ ...MADE, updateRemoteUserUID: false }, DEVELOPER), [skip]))).toBe("1000");
        const flag = ["--update-remote-user-uid-default", "off", skip];
        expect(await ids(await up(project(MADE, DEVELOPER), flag))).toBe("1000");
        expect(await ids(await up(project({ ...MADE, updateRemoteUserUID: true }, DEVELOPER), flag))).toBe(
          String(callerUid),
        );
        const never = ["--update-remote-user-uid-default", "never", skip];
        expect(await ids(await up(project({ ...MADE, updateRemoteUserUID: true }, DEVELOPER), never))).toBe("1000");
      });

      test("can read nobody's but their own remembered environment", async () => {
        const folder = project({ image: BASE_IMAGE, remoteUser: "root", postCreateCommand: "true" });
        await up(folder);
        const state = join(home, "state", "cooper", "containers");
        expect(statSync(state).mode & 0o077).toBe(0);
        for (const name of readdirSync(state))
          expect({ name, mode: statSync(join(state, name)).mode & 0o077 }).toEqual({ name, mode: 0 });
      });
    },
  );
});
