import { UserError } from "../errors.ts";
import type { ProcessResult } from "../host/spawn.ts";
import { containerRemedy } from "./container-kind.ts";
import type { SandboxMeans } from "./sandbox-means.ts";

const DOCTOR = "cooper doctor --backend native says what this machine lacks.";

/** A step that was ended because its time was up. */
export class StepTimedOut extends UserError {}

/** A step whose program is not there, or cannot be run, in its image. */
export class UnstartableStep extends UserError {
  readonly isThere: boolean;

  constructor(message: string, { isThere, hint }: { readonly isThere: boolean; readonly hint?: string }) {
    super(message, hint === undefined ? {} : { hint });
    this.isThere = isThere;
  }
}

/** A step ran longer than it may. */
export function stepTimedOut(seconds: number): StepTimedOut {
  return new StepTimedOut(`The step ran longer than ${seconds} seconds and was ended.`, {
    hint: "Give it more with --step-timeout, or find out what it waits for: nothing can be typed into it.",
  });
}

/** Layers that could not be mounted, by the kernel or by fuse-overlayfs. */
export class OverlayRefused extends UserError {}

/** The layers could not be mounted, by the name of the kernel's error. */
export function overlayRefused(
  { fuseOverlayfs, container }: SandboxMeans,
  { folder, code }: { folder: string; code: string },
): OverlayRefused {
  const fuse =
    fuseOverlayfs === null
      ? " fuse-overlayfs, which could do it instead, is not installed."
      : " fuse-overlayfs could not either.";
  const where =
    code === "EINVAL" || code === "EOPNOTSUPP"
      ? `the file system of ${folder} cannot hold an overlay`
      : `the kernel refuses overlays here`;
  const other = "on another file system with XDG_DATA_HOME";
  const hint =
    container === undefined
      ? `Install fuse-overlayfs, or put cooper's store ${other}.`
      : `Put cooper's store on a volume of this container, or ${other}; fuse-overlayfs does it where the container has /dev/fuse (--device /dev/fuse).`;
  return new OverlayRefused(`Could not mount the image's layers for a step: ${where} (${code}).${fuse}`, {
    hint: `${hint} ${DOCTOR}`,
  });
}

/** Namespaces that could not be had, or not be furnished. */
export class SandboxRefused extends UserError {}

/** The namespaces could not be had, or not be furnished. */
export function sandboxRefused(
  means: SandboxMeans,
  { ended, refusal }: { ended: ProcessResult; refusal?: { readonly call: string; readonly code: string } },
): SandboxRefused {
  const said = ended.stderr.trim().split("\n").at(-1) ?? "";
  if (refusal !== undefined) {
    return new SandboxRefused(`Could not prepare a step's surroundings: ${refusal.call}.`, {
      hint: hintFor(means, refusal.call),
    });
  }
  const reason = said === "" ? `unshare ended with ${ended.exitCode}` : said;
  return new SandboxRefused(`Could not start a step in namespaces of its own: ${reason}.`, {
    hint: hintFor(means, said),
  });
}

/** The program of a step is the image's: what is wrong with it is too. */
export function unstartable({ program, code }: { readonly program: string; readonly code: string }): UnstartableStep {
  const failed = `Could not start ${program} in the image:`;
  switch (code) {
    case "ENOENT":
      return new UnstartableStep(`${failed} there is no such program, or not what it is linked with.`, {
        isThere: false,
        ...(program === "/bin/sh" ? { hint: "Steps need it in the base image: choose another base." } : {}),
      });
    case "ENOEXEC":
      return new UnstartableStep(`${failed} it is a program for another platform than this machine's.`, {
        isThere: true,
        hint: "Choose another --platform, or let the kernel run such programs with qemu-user and binfmt-support.",
      });
    case "EACCES":
      return new UnstartableStep(`${failed} it may not be executed by this user, or is no file (EACCES).`, {
        isThere: true,
      });
    default:
      return new UnstartableStep(`${failed} ${code}.`, { isThere: true });
  }
}

/** The image does not know the user or group that a step is to run as. */
export function absentAccount({ wanted, file }: { readonly wanted: string; readonly file: string }): UserError {
  return new UserError(`The image's ${file} has no ${wanted}, as whom the program was to run.`, {
    hint: "Name somebody that it has, or a number, with --user.",
  });
}

function hintFor(means: SandboxMeans, text: string): string {
  if (means.container !== undefined && /new[ug]idmap: write to [ug]id_map failed/.test(text)) {
    return `This is a container without CAP_SYS_ADMIN, where newuidmap needs a capability of its own, or cooper was started with no-new-privileges. Run cooper as the container's root, or in it: chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap; setcap cap_setuid=ep /usr/bin/newuidmap; setcap cap_setgid=ep /usr/bin/newgidmap. ${DOCTOR}`;
  }
  if (/newuidmap|newgidmap|uid_map|gid_map|map-auto|subuid/i.test(text)) {
    if (/[ug]id_map failed: Operation not permitted/.test(text)) {
      return `newuidmap and newgidmap have no rights of their own here: they are not setuid, lie on a file system that is mounted nosuid, or cooper was started with no-new-privileges, as services and containers can be. ${DOCTOR}`;
    }
    return `Install uidmap, and give yourself subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER. ${DOCTOR}`;
  }
  if (/unshare failed: No space left on device/.test(text)) {
    return `The limit of namespaces is reached, or is 0: see sysctl user.max_user_namespaces, user.max_mnt_namespaces and user.max_pid_namespaces. ${DOCTOR}`;
  }
  if (/^set(groups|resgid|resuid)/.test(text)) {
    return "Choose a user and a group whose numbers are below 65536: others have no id on this machine.";
  }
  // Only in containers is there already something on top of /proc.
  if (means.container !== undefined || /mount proc/.test(text)) {
    const forbidden = forbiddenBy(text);
    return `This is a container, and ${forbidden}. ${containerRemedy(means.container ?? "other")} ${DOCTOR}`;
  }
  switch (means.identity) {
    case "root":
      return `root needs CAP_SYS_ADMIN for it. ${DOCTOR}`;
    case "root-namespace":
    case "user-namespace":
      return `User namespaces may be switched off: see sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns. ${DOCTOR}`;
  }
}

/** What a container does not let its processes do, by the call that failed. */
function forbiddenBy(text: string): string {
  if (/mount proc/.test(text)) return "it hides parts of /proc, so that the kernel lets nobody mount another";
  if (/pivot_root/.test(text)) return "its seccomp filter forbids pivot_root";
  if (/mount/.test(text)) return "it forbids mounts";
  return "it forbids new namespaces (its seccomp filter or AppArmor profile does)";
}
