import { existsSync, readFileSync } from "node:fs";
import { UserError } from "../errors.ts";
import { findOnPath } from "../host/find-on-path.ts";
import type { ContainerKind } from "../runtime/container-kind.ts";
import { judgeSandboxMeans, type SandboxFacts, type SandboxLack } from "../runtime/judge-sandbox-means.ts";
import type { SandboxMeans } from "../runtime/sandbox-means.ts";
import type { Tools } from "./tools.ts";

const CAP_SYS_ADMIN = 1n << 21n;
const DOCTOR = "cooper doctor --backend native says what this machine lacks.";

/** With what this machine keeps steps apart from itself. Throws a UserError that says what is missing; what only trying tells is not tried. */
export function findSandboxMeans({ environment }: Pick<Tools, "environment">): SandboxMeans {
  const facts = inspectSandboxFacts(environment);
  const judged = judgeSandboxMeans(facts);
  switch (judged.kind) {
    case "means":
      return judged.means;
    case "lacking":
      throw lacking(judged.lacks[0], facts);
  }
}

/** What there is of what a sandbox takes. */
export function inspectSandboxFacts(environment: Tools["environment"]): SandboxFacts {
  const path = environment["PATH"] ?? "";
  return {
    platform: process.platform,
    user: currentUser(environment),
    maySetUp: maySetUp(readText("/proc/self/status")),
    container: findContainer(environment),
    userMap: readText("/proc/self/uid_map"),
    groupMap: readText("/proc/self/gid_map"),
    unshare: findOnPath("unshare", path),
    newuidmap: findOnPath("newuidmap", path),
    newgidmap: findOnPath("newgidmap", path),
    fuseOverlayfs: findOnPath("fuse-overlayfs", path),
    subordinateUsers: readText("/etc/subuid"),
    subordinateGroups: readText("/etc/subgid"),
  };
}

/** By the mask of effective capabilities; without one the kernel will say. */
function maySetUp(status: string | null): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? "")?.[1];
  return mask === undefined || (BigInt(`0x${mask}`) & CAP_SYS_ADMIN) !== 0n;
}

/** By the marks that container engines leave in their containers. */
function findContainer(environment: Tools["environment"]): ContainerKind | undefined {
  if ((environment["KUBERNETES_SERVICE_HOST"] ?? "") !== "") return "kubernetes";
  if (existsSync("/run/.containerenv")) return "podman";
  if (existsSync("/.dockerenv")) return "docker";
  return (environment["container"] ?? "") === "" ? undefined : "other";
}

/** By the user database, as USER may be absent or somebody else's; it serves where users come from the network. */
function currentUser(environment: Tools["environment"]): SandboxFacts["user"] {
  const id = process.getuid?.() ?? 0;
  const entry = (readText("/etc/passwd") ?? "").split("\n").find((line) => line.split(":")[2] === String(id));
  const name = entry?.split(":")[0] ?? (environment["USER"] || String(id));
  return { name, id, groupId: process.getgid?.() ?? 0 };
}

function readText(file: string): string | null {
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

function lacking(lack: SandboxLack, { user }: SandboxFacts): UserError {
  switch (lack.kind) {
    case "platform":
      return new UserError(`--backend native needs Linux, and this is ${lack.platform}.`, {
        hint: "Build with Docker or Podman: --backend engine.",
      });
    case "program":
      return new UserError(
        `Building without an engine needs ${lack.program}, of the package ${lack.package}, which is not on PATH.`,
        { hint: `Install it. ${DOCTOR}` },
      );
    case "subordinate ids":
      return new UserError(
        `Building without an engine needs subordinate ids, and ${lack.file} has none for ${user.name}.`,
        { hint: `${DOCTOR} sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name}` },
      );
  }
}
