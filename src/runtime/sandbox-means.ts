/** With what a machine keeps steps apart from itself; `fuseOverlayfs` mounts layers where the kernel refuses to, null where there is none. */
export type SandboxMeans =
  /** Ids are what they are. */
  | { readonly identity: "root"; readonly fuseOverlayfs: string | null }
  /** Id 0 inside is the caller, the others are subordinate ones. */
  | { readonly identity: "user-namespace"; readonly fuseOverlayfs: string | null; readonly ids: NamespaceIds };

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
