import type { ContainerKind } from "./container-kind.ts";

interface Surroundings {
  /** Mounts layers where the kernel refuses to; null where there is none. */
  readonly fuseOverlayfs: string | null;
  /** What cooper itself runs in, if it is a container. */
  readonly container?: ContainerKind;
}

/** With what a machine keeps steps apart from itself. */
export type SandboxMeans = Surroundings &
  (
    | /** Ids are what they are. */ { readonly identity: "root" }
    /** Ids are what they are, in a user namespace: root of a container, which may do nothing else. */
    | { readonly identity: "root-namespace"; readonly uids: string; readonly gids: string }
    /** Id 0 inside is the caller, the others are subordinate ones. */
    | { readonly identity: "user-namespace"; readonly ids: NamespaceIds }
  );

/** The ids of a user namespace of somebody who is not root. */
export interface NamespaceIds {
  readonly user: IdMap;
  readonly group: IdMap;
}

/** Who is 0 inside, and the range of /etc/subuid or /etc/subgid that 1 and the following are. */
export interface IdMap {
  readonly own: number;
  readonly start: number;
  readonly size: number;
  /** Whether it is the first that the file gives the user, which is the one that `unshare --map-auto` takes. */
  readonly isFirst: boolean;
}
