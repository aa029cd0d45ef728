import type { RunProcess } from "../host/spawn.ts";
import type { SandboxMeans } from "./sandbox-means.ts";
import { readUnshare } from "./unshare-program.ts";

/** How a worker gets the ids of its namespace: it needs none, `unshare` looks them up, they are named to newuidmap and newgidmap, or root writes them. */
export type IdMapping =
  | { readonly kind: "none" }
  | { readonly kind: "automatic" }
  /** The arguments behind the process id. */
  | { readonly kind: "named"; readonly uids: string; readonly gids: string }
  /** The texts of the namespace's uid_map and gid_map. */
  | { readonly kind: "written"; readonly uids: string; readonly gids: string };

/** Asks `unshare`, once and only where it matters, whether it can look up the ids that it is to have. */
export function createIdMapping(means: SandboxMeans, runProcess: RunProcess): () => Promise<IdMapping> {
  let known: Promise<IdMapping> | undefined;
  return () => {
    known ??= chooseIdMapping(means, async () => {
      // Also for what tidies up after an interruption.
      const { stdout } = await runProcess({ file: "unshare", args: ["--help"], env: {} }, { regardless: true });
      return stdout;
    });
    return known;
  };
}

/** `help` gives the output of `unshare --help`. */
export async function chooseIdMapping(means: SandboxMeans, help: () => Promise<string>): Promise<IdMapping> {
  switch (means.identity) {
    case "root":
      return { kind: "none" };
    case "root-namespace":
      return { kind: "written", uids: means.uids, gids: means.gids };
    case "user-namespace": {
      const { user, group } = means.ids;
      if (user.isFirst && group.isFirst && readUnshare(await help()).mapsIds) return { kind: "automatic" };
      // As `unshare --map-auto --map-root-user` does it: what lies in the store has the same ids either way.
      const [uids, gids] = [user, group].map(({ own, start, size }) => `0 ${own} 1 1 ${start} ${size - 1}`);
      return { kind: "named", uids: uids ?? "", gids: gids ?? "" };
    }
  }
}
