import { afterAll } from "bun:test";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { askEngine } from "./builders.ts";
import { availableEngines, BASE_IMAGE, type CooperResult } from "./engines.ts";
import { findOrdinaryUser, openUserScene, type TestUser } from "./ordinary-user.ts";
import { writeFiles } from "./workspace.ts";

/** A podman of a user who is not root, with a store of its own that has the base image; gone when the file's tests have run. */
export interface RootlessPodman {
  readonly user: TestUser;
  /** The user's home. */
  readonly folder: string;
  readonly podman: (args: readonly string[]) => Promise<CooperResult>;
  /** Runs the compiled executable as the user, in a folder, on this podman. */
  readonly cooper: (
    words: readonly string[],
    options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  ) => Promise<CooperResult>;
  /** Makes the user the owner of all that is in a folder. */
  readonly give: (path: string) => void;
}

/** Opens one, or says why it cannot be had. */
export async function openRootlessPodman(): Promise<RootlessPodman | { readonly reason: string }> {
  const user = findOrdinaryUser();
  const engine = availableEngines().find(({ name }) => name === "podman");
  if (typeof user === "string") return { reason: user };
  if (engine === undefined) return { reason: "there is no podman" };
  if (engine.reason !== undefined) return { reason: engine.reason };
  const { folder, cooper, run, remove } = openUserScene(user);
  afterAll(remove);
  const give = (path: string) => giveTo(user, path);
  const [runtime, archive] = [join(folder, "runtime"), join(folder, "base.tar")];
  mkdirSync(runtime, { mode: 0o700 });
  give(runtime);
  // What the tests' own podman is told by its environment is root's.
  writeFiles(join(folder, ".config", "containers"), {
    "storage.conf": '[storage]\ndriver = "overlay"\n',
    "containers.conf":
      '[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n',
  });
  give(join(folder, ".config"));
  await askEngine(engine, ["save", "--quiet", "--output", archive, BASE_IMAGE]);
  chmodSync(archive, 0o644);
  const own = { XDG_RUNTIME_DIR: runtime };
  const podman: RootlessPodman["podman"] = (args) => run([engine.path, ...args], { env: own });
  await podman(["load", "--quiet", "--input", archive]);
  const { exitCode, stderr } = await podman(["run", "--rm", "--pull=never", BASE_IMAGE, "true"]);
  if (exitCode !== 0) return { reason: `a user's podman cannot run: ${stderr.trim().split("\n").at(-1)}` };
  return {
    user,
    folder,
    podman,
    cooper: (words, { cwd, env = {} }) =>
      run(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", cwd, cooper, ...words], {
        env: { ...own, COOPER_DOCKER_PATH: engine.path, ...env },
      }),
    give,
  };
}

function giveTo(user: TestUser, path: string): void {
  chownSync(path, user.uid, user.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveTo(user, join(path, name));
}
