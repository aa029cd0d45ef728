import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE_IMAGE, type CooperResult, cooperCommand, describeEngine, type TestEngine } from "./engines.ts";
import { readOutcome } from "./up-scene.ts";
import { devcontainerJson, type Files, writeFiles } from "./workspace.ts";

/** A user of this machine who has a range of ids for containers. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** What comes before a command so that the user runs it. */
  readonly prefix: readonly string[];
}

/** Whoever runs the tests or, where that is root, the first user that has subordinate ids. */
function findOwner(): Owner | undefined {
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()];
  if (uid !== 0) return { uid, gid, home: process.env["HOME"] ?? "/", prefix: [] };
  if (!existsSync("/etc/subuid")) return undefined;
  const [name = ""] = readFileSync("/etc/subuid", "utf8").split(":");
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([first]) => first === name);
  if (entry === undefined) return undefined;
  const [, , userId = "", groupId = "", , home = ""] = entry;
  const prefix = ["setpriv", `--reuid=${userId}`, `--regid=${groupId}`, "--init-groups", "--"];
  return { uid: Number(userId), gid: Number(groupId), home, prefix };
}

async function run(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<CooperResult> {
  const child = Bun.spawn([...command], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

/** Our environment, as a login of the user would have it. */
function environmentOf(owner: Owner, root: string, base: Readonly<Record<string, string | undefined>>) {
  const kept = Object.entries(base).flatMap(([name, value]) =>
    value === undefined || /^(DOCKER_|CONTAINER_HOST$|XDG_)/.test(name) ? [] : [[name, value] as const],
  );
  const folders = ["cache", "config", "state", "runtime"].map((name) => [
    `XDG_${name.toUpperCase()}${name === "runtime" ? "_DIR" : "_HOME"}`,
    join(root, name),
  ]);
  return Object.fromEntries([...kept, ...folders, ["HOME", owner.home]]);
}

function giveTo(owner: Owner, path: string): void {
  chownSync(path, owner.uid, owner.gid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) giveTo(owner, join(path, name));
}

describeEngine("podman", async (engine: TestEngine) => {
  // Without the kernel's overlay every layer of an image is a copy of all below it.
  setDefaultTimeout(120_000);
  const owner = findOwner();
  const root = mkdtempSync(join(tmpdir(), "cooper-rootless-"));
  chmodSync(root, 0o755);
  for (const name of ["cache", "config", "state", "runtime"]) mkdirSync(join(root, name), { mode: 0o700 });
  const folders: string[] = [];
  const podman = (args: readonly string[]) =>
    owner === undefined
      ? undefined
      : run([...owner.prefix, engine.path, ...args], environmentOf(owner, root, process.env), root);

  async function whyNot(): Promise<string | undefined> {
    if (engine.reason !== undefined) return engine.reason;
    if (owner === undefined) return "no user has a range of ids in /etc/subuid";
    giveTo(owner, root);
    const answer = await podman(["run", "--rm", "--pull=never", BASE_IMAGE, "true"]);
    return answer?.exitCode === 0
      ? undefined
      : `a user's podman cannot run ${BASE_IMAGE}: ${answer?.stderr.trim().split("\n").at(-1)}`;
  }
  const reason = await whyNot();

  async function cooper(command: string, folder: string, args: readonly string[] = []): Promise<CooperResult> {
    if (owner === undefined) throw new Error("there is no user to run as");
    const whole = cooperCommand([command, "--workspace-folder", folder, ...args], { engine, home: root });
    return run([...owner.prefix, ...whole.command], environmentOf(owner, root, whole.env), whole.cwd);
  }

  function project(config: object, files: Files = {}): string {
    const folder = join(root, `rootless-${process.pid}-${folders.length}`);
    folders.push(folder);
    writeFiles(folder, { ...devcontainerJson(config), ...files });
    if (owner !== undefined) giveTo(owner, folder);
    return folder;
  }

  afterAll(async () => {
    for (const folder of reason === undefined ? folders : []) {
      await cooper("down", folder);
      const images = await podman(["images", "-q", `localhost/cooper/${folder.split("/").at(-1)}`]);
      const ids = images?.stdout.split("\n").filter((id) => id !== "") ?? [];
      if (ids.length > 0) await podman(["rmi", "--force", ...ids]);
    }
    rmSync(root, { recursive: true, force: true });
  });

  describe.skipIf(reason !== undefined)(`rootless${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
    test("a user who is not root in the container works with the caller's ids, in a home of their own", async () => {
      const folder = project(
        { build: { dockerfile: "Dockerfile" }, remoteUser: "dev", postCreateCommand: "touch made ~/made" },
        { ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN useradd -m -u 1234 dev\n` },
      );
      const up = await cooper("up", folder);
      expect(readOutcome(up)).toMatchObject({ outcome: "success", remoteUser: "dev" });
      const { uid, gid } = statSync(join(folder, "made"));
      expect({ uid, gid }).toEqual({ uid: owner?.uid ?? -1, gid: owner?.gid ?? -1 });
      const exec = await cooper("exec", folder, ["sh", "-c", "id -un; stat -c %U ~ ~/made made"]);
      expect(exec.stdout).toBe("dev\ndev\ndev\ndev\n");
      expect((await cooper("down", folder)).exitCode).toBe(0);
    });

    test("root in the container is the caller outside", async () => {
      const folder = project({ image: BASE_IMAGE, postCreateCommand: "id -u >made" });
      expect(readOutcome(await cooper("up", folder))).toMatchObject({ outcome: "success", remoteUser: "root" });
      expect(readFileSync(join(folder, "made"), "utf8")).toBe("0\n");
      expect(statSync(join(folder, "made")).uid).toBe(owner?.uid ?? -1);
    });
  });
});
