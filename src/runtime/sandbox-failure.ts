import { UserError } from "../errors.ts";
import type { ProcessResult } from "../host/spawn.ts";
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

/** The layers could not be mounted, by the name of the kernel's error. */
export function overlayRefused(means: SandboxMeans, { folder, code }: { folder: string; code: string }): UserError {
  const fuse =
    means.fuseOverlayfs === null
      ? " fuse-overlayfs, which could do it instead, is not installed."
      : " fuse-overlayfs could not either.";
  const where =
    code === "EINVAL" || code === "EOPNOTSUPP"
      ? `the file system of ${folder} cannot hold an overlay`
      : `the kernel refuses overlays here`;
  return new UserError(`Could not mount the image's layers for a step: ${where} (${code}).${fuse}`, {
    hint: `Install fuse-overlayfs, or put cooper's store on another file system with XDG_DATA_HOME. ${DOCTOR}`,
  });
}

/** The namespaces could not be had, or not be furnished. */
export function sandboxRefused(
  means: SandboxMeans,
  { ended, refusal }: { ended: ProcessResult; refusal?: { readonly call: string; readonly code: string } },
): UserError {
  const said = ended.stderr.trim().split("\n").at(-1) ?? "";
  if (refusal !== undefined) {
    return new UserError(`Could not prepare a step's surroundings: ${refusal.call}.`, {
      hint: hintFor(means, refusal.call),
    });
  }
  const reason = said === "" ? `unshare ended with ${ended.exitCode}` : said;
  return new UserError(`Could not start a step in namespaces of its own: ${reason}.`, { hint: hintFor(means, said) });
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
  if (/newuidmap|newgidmap|uid_map|gid_map|map-auto|subuid/i.test(text)) {
    return `Install uidmap, and give yourself subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER. ${DOCTOR}`;
  }
  if (/^set(groups|resgid|resuid)/.test(text)) {
    return "Choose a user and a group whose numbers are below 65536: others have no id on this machine.";
  }
  if (/mount proc/.test(text)) {
    return `This happens in a container that hides parts of /proc. Run cooper outside of it, or give the container an unmasked /proc (docker: --security-opt systempaths=unconfined). ${DOCTOR}`;
  }
  if (means.identity === "root")
    return `root needs CAP_SYS_ADMIN for it, which a container has with --privileged only. ${DOCTOR}`;
  return `User namespaces may be switched off: see sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns. ${DOCTOR}`;
}
