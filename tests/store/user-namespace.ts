import { chownSync, writeFileSync } from "node:fs";

/** What a program in a user namespace came to, or why there is none here. */
export type NamespaceRun =
  | { readonly kind: "ran"; readonly exitCode: number; readonly output: string }
  | { readonly kind: "none"; readonly reason: string };

const firstId = 100_000;
const ids = 65_536;

/**
 * Runs a program as uid 0 of a new user namespace in which the first 65536 ids are there, none of them ours outside when
 * we are root: `folder` is given to it. As another user that needs newuidmap and ids in /etc/subuid.
 */
export async function runInUserNamespace(command: readonly string[], folder: string): Promise<NamespaceRun> {
  if (process.platform !== "linux") return { kind: "none", reason: "there are no user namespaces" };
  if (process.getuid?.() !== 0) return run(["unshare", "--user", "--map-auto", "--map-root-user", ...command]);
  chownSync(folder, firstId, firstId);
  const wait = ["sh", "-c", 'echo ready; read -r go; exec "$@"', "sh", ...command];
  const unprivileged = ["setpriv", `--reuid=${firstId}`, `--regid=${firstId}`, "--clear-groups"];
  return run([...unprivileged, "unshare", "--user", ...wait], { mapIds: true });
}

async function run(command: readonly string[], { mapIds = false } = {}): Promise<NamespaceRun> {
  const child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "pipe", cwd: "/" });
  const errors = child.stderr.text();
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of child.stdout) {
    const isFirst = output === "";
    output += decoder.decode(bytes, { stream: true });
    if (!mapIds || !isFirst) continue;
    for (const map of ["uid_map", "gid_map"]) writeFileSync(`/proc/${child.pid}/${map}`, `0 ${firstId} ${ids}\n`);
    child.stdin.write("go\n");
    child.stdin.end();
  }
  const [exitCode, error] = [await child.exited, await errors];
  const started = mapIds ? output.startsWith("ready\n") : !/unshare|newuidmap|newgidmap/.test(error);
  if (!started) return { kind: "none", reason: error.trim() };
  return { kind: "ran", exitCode, output: (mapIds ? output.slice("ready\n".length) : output) + error };
}
