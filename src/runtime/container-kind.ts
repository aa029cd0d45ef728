/** What cooper itself runs in, where that is a container: who made it, as far as its marks tell. */
export type ContainerKind = "docker" | "podman" | "kubernetes" | "other";

/** What the maker of a container has to say so that cooper can keep steps apart in it. */
export function containerRemedy(kind: ContainerKind): string {
  switch (kind) {
    case "docker":
      return "Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined, or with --privileged.";
    case "podman":
      return "Start the container with --security-opt unmask=ALL, or with --privileged.";
    case "kubernetes":
      return "Give the container a securityContext with procMount: Unmasked and seccompProfile: {type: Unconfined}, or with privileged: true.";
    case "other":
      return "Have the container started with user namespaces allowed (seccomp, AppArmor) and nothing of /proc hidden, or privileged.";
  }
}
