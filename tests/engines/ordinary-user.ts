import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CooperResult } from "./engines.ts";

/** Whoever runs a test's command: the tests' own user, or one who is not root and has subordinate ids. */
export interface TestUser {
  readonly uid: number;
  readonly gid: number;
  /** What comes before a command so that the user runs it. */
  readonly prefix: readonly string[];
}

/** The user that runs the tests. */
export const self: TestUser = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, prefix: [] };

/** Whoever runs the tests or, where that is root, the first user that has subordinate ids; a reason where there is none. */
export function findOrdinaryUser(): TestUser | string {
  if (process.platform !== "linux") return "user namespaces are Linux's";
  const subordinates = existsSync("/etc/subuid") ? readFileSync("/etc/subuid", "utf8") : "";
  if (self.uid !== 0) return subordinates === "" ? "/etc/subuid has no subordinate ids" : self;
  const [name = ""] = subordinates.split(":");
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([first]) => first === name);
  if (name === "" || entry === undefined) return "no user of this machine has subordinate ids in /etc/subuid";
  if (Bun.which("newuidmap") === null) return "newuidmap is not installed";
  const [, , uid = "", gid = ""] = entry;
  const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"];
  return { uid: Number(uid), gid: Number(gid), prefix };
}

/** A folder of the user's own, and the compiled executable where that user can run it. */
export interface UserScene {
  readonly folder: string;
  readonly cooper: string;
  /** Runs a program as the user, with nothing in the environment but what makes `folder` its home. */
  readonly run: (
    argv: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string },
  ) => Promise<CooperResult>;
  readonly remove: () => Promise<void>;
}

/** Makes a scene; what is in it may belong to subordinate ids when it is removed. */
export function openUserScene({ uid, gid, prefix }: TestUser): UserScene {
  const folder = mkdtempSync(join(tmpdir(), "cooper-user-"));
  chownSync(folder, uid, gid);
  chmodSync(folder, 0o755);
  const built = process.env["COOPER_TEST_BINARY"] ?? join(import.meta.dir, "..", "..", "dist", "cooper");
  const cooper = join(folder, "bin", "cooper");
  mkdirSync(join(folder, "bin"));
  cpSync(built, cooper);
  const run: UserScene["run"] = async (argv, { env = {}, stdin } = {}) => {
    const child = Bun.spawn([...prefix, ...argv], {
      cwd: folder,
      env: { HOME: folder, PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", NO_COLOR: "1", ...env },
      stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { exitCode, stdout, stderr };
  };
  return {
    folder,
    cooper,
    run,
    async remove() {
      try {
        rmSync(folder, { recursive: true, force: true });
      } catch {
        await run(["unshare", "--user", "--map-auto", "--map-root-user", "rm", "-rf", folder]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
