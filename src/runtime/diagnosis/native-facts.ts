import type { SandboxFacts } from "../judge-sandbox-means.ts";
import type { UnshareProgram } from "../unshare-program.ts";
import type { DiskFacts } from "./check-storage.ts";

/** What there is on a machine of what cooper's own engine takes. */
export interface NativeFacts {
  readonly sandbox: SandboxFacts;
  /** undefined where it is absent, or did not say. */
  readonly unshare: UnshareProgram | undefined;
  readonly kernel: KernelFacts;
  readonly store: StoreFacts;
  /** The file of the running program, which an AppArmor profile names. */
  readonly program: string;
  readonly trial: NativeTrial;
}

/** Settings of the kernel by their sysctls; undefined where it has no such setting. */
export interface KernelFacts {
  /** user.max_user_namespaces */
  readonly mostNamespaces: number | undefined;
  /** kernel.unprivileged_userns_clone */
  readonly unprivileged: boolean | undefined;
  /** kernel.apparmor_restrict_unprivileged_userns */
  readonly apparmorRestricts: boolean | undefined;
  readonly fuseDevice: boolean;
}

/** The folder of cooper's images, or where it will be. */
export interface StoreFacts {
  readonly disk: DiskFacts;
  /** As mount names it, as far as it is known. */
  readonly fileSystem: string | undefined;
}

/** What became of running one tiny program in a sandbox. */
export type NativeTrial =
  | { readonly kind: "not tried" }
  | { readonly kind: "unsupported"; readonly architecture: string }
  | { readonly kind: "succeeded"; readonly overlay: "kernel" | "fuse-overlayfs" }
  | {
      readonly kind: "failed";
      readonly at: "overlay" | "namespaces" | "elsewhere";
      readonly found: string;
      readonly hint?: string;
    };
