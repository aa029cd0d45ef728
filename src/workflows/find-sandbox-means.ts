import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { UserError } from "../errors.ts";
import { findOnPath } from "../host/find-on-path.ts";
import { judgeSandboxMeans, type SandboxFacts, type SandboxLack } from "../runtime/judge-sandbox-means.ts";
import type { SandboxMeans } from "../runtime/sandbox-means.ts";
import type { Tools } from "./tools.ts";

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
    user: currentUser(),
    unshare: findOnPath("unshare", path),
    newuidmap: findOnPath("newuidmap", path),
    newgidmap: findOnPath("newgidmap", path),
    fuseOverlayfs: findOnPath("fuse-overlayfs", path),
    subordinateUsers: readText("/etc/subuid"),
    subordinateGroups: readText("/etc/subgid"),
  };
}

function currentUser(): SandboxFacts["user"] {
  const id = process.getuid?.() ?? 0;
  const groupId = process.getgid?.() ?? 0;
  try {
    return { name: userInfo().username, id, groupId };
  } catch {
    // No entry in the user database, as in containers that are given any id.
    return { name: String(id), id, groupId };
  }
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
