import type { ContainerKind } from "./container-kind.ts";
import { fittingRange } from "./diagnosis/subordinate-ids.ts";
import type { SandboxMeans } from "./sandbox-means.ts";

/** What looking, without trying, tells of a machine on which steps are to run; texts are null for files that are absent. */
export interface SandboxFacts {
  readonly platform: string;
  readonly user: { readonly name: string; readonly id: number; readonly groupId: number };
  /** Whether this process has CAP_SYS_ADMIN, as root has outside of containers. */
  readonly maySetUp: boolean;
  /** What cooper itself runs in, if it is a container. */
  readonly container: ContainerKind | undefined;
  /** /proc/self/uid_map and gid_map. */
  readonly userMap: string | null;
  readonly groupMap: string | null;
  /** Where the programs are that it takes; undefined for one that is not on PATH. */
  readonly unshare: string | undefined;
  readonly newuidmap: string | undefined;
  readonly newgidmap: string | undefined;
  readonly fuseOverlayfs: string | undefined;
  /** /etc/subuid and /etc/subgid. */
  readonly subordinateUsers: string | null;
  readonly subordinateGroups: string | null;
}

/** Something that keeps cooper's own engine from working. */
export type SandboxLack =
  | { readonly kind: "platform"; readonly platform: string }
  | { readonly kind: "program"; readonly program: "unshare" | "newuidmap" | "newgidmap"; readonly package: string }
  | { readonly kind: "subordinate ids"; readonly file: "/etc/subuid" | "/etc/subgid" };

/** With what steps can be kept apart from the machine, or all that is lacking for it. */
export function judgeSandboxMeans(
  facts: SandboxFacts,
):
  | { readonly kind: "means"; readonly means: SandboxMeans }
  | { readonly kind: "lacking"; readonly lacks: readonly [SandboxLack, ...SandboxLack[]] } {
  const { platform, user } = facts;
  if (platform !== "linux") return { kind: "lacking", lacks: [{ kind: "platform", platform }] };
  const unshare = lackOf("unshare", facts);
  const surroundings = {
    fuseOverlayfs: facts.fuseOverlayfs ?? null,
    ...(facts.container === undefined ? {} : { container: facts.container }),
  };
  if (user.id === 0) {
    const [lack] = unshare;
    if (lack !== undefined) return { kind: "lacking", lacks: [lack] };
    if (facts.maySetUp) return { kind: "means", means: { identity: "root", ...surroundings } };
    const maps = { uids: unchanged(facts.userMap), gids: unchanged(facts.groupMap) };
    return { kind: "means", means: { identity: "root-namespace", ...maps, ...surroundings } };
  }
  const users = fittingRange(facts.subordinateUsers, user);
  const groups = fittingRange(facts.subordinateGroups, user);
  const [first, ...others] = [
    ...unshare,
    ...lackOf("newuidmap", facts),
    ...lackOf("newgidmap", facts),
    ...(users === undefined ? [{ kind: "subordinate ids", file: "/etc/subuid" } as const] : []),
    ...(groups === undefined ? [{ kind: "subordinate ids", file: "/etc/subgid" } as const] : []),
  ];
  if (first !== undefined) return { kind: "lacking", lacks: [first, ...others] };
  if (users === undefined || groups === undefined) throw new TypeError("Absent ids are a lack.");
  const ids = { user: { own: user.id, ...users }, group: { own: user.groupId, ...groups } };
  return { kind: "means", means: { identity: "user-namespace", ids, ...surroundings } };
}

/** The map of a namespace that has the ids that there are here under their own numbers. */
function unchanged(map: string | null): string {
  const extents = (map ?? "").split("\n").flatMap((line) => {
    const [inside = "", , count = ""] = line.trim().split(/\s+/);
    return count === "" ? [] : [`${inside} ${inside} ${count}`];
  });
  return extents.join("\n");
}

const PACKAGES = { unshare: "util-linux", newuidmap: "uidmap", newgidmap: "uidmap" } as const;

function lackOf(program: keyof typeof PACKAGES, facts: SandboxFacts): SandboxLack[] {
  return facts[program] === undefined ? [{ kind: "program", program, package: PACKAGES[program] }] : [];
}
