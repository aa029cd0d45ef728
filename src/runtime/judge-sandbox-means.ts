import { fittingRange } from "./diagnosis/subordinate-ids.ts";
import type { SandboxMeans } from "./sandbox-means.ts";

/** What looking, without trying, tells of a machine on which steps are to run; texts are null for files that are absent. */
export interface SandboxFacts {
  readonly platform: string;
  readonly user: { readonly name: string; readonly id: number; readonly groupId: number };
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
  const fuseOverlayfs = facts.fuseOverlayfs ?? null;
  if (user.id === 0) {
    const [lack] = unshare;
    return lack === undefined
      ? { kind: "means", means: { identity: "root", fuseOverlayfs } }
      : { kind: "lacking", lacks: [lack] };
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
  return { kind: "means", means: { identity: "user-namespace", fuseOverlayfs, ids } };
}

const PACKAGES = { unshare: "util-linux", newuidmap: "uidmap", newgidmap: "uidmap" } as const;

function lackOf(program: keyof typeof PACKAGES, facts: SandboxFacts): SandboxLack[] {
  return facts[program] === undefined ? [{ kind: "program", program, package: PACKAGES[program] }] : [];
}
