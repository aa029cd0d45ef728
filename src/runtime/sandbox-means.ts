/** With what a machine keeps steps apart from itself. */
export interface SandboxMeans {
  /** `root`: ids are what they are. `user-namespace`: id 0 inside is the caller, the others come from /etc/subuid and /etc/subgid. */
  readonly identity: "root" | "user-namespace";
  /** The program that mounts layers where the kernel refuses to; null where there is none. */
  readonly fuseOverlayfs: string | null;
}
