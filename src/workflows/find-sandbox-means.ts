import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { UserError } from "../errors.ts";
import { findOnPath } from "../host/find-on-path.ts";
import { hasSubordinateIds } from "../runtime/diagnosis/subordinate-ids.ts";
import type { SandboxMeans } from "../runtime/sandbox-means.ts";
import type { Tools } from "./tools.ts";

const DOCTOR = "cooper doctor says what this machine lacks.";

/** With what this machine keeps steps apart from itself. Throws a UserError that says what is missing; what only trying tells is not tried. */
export function findSandboxMeans({ environment }: Pick<Tools, "environment">): SandboxMeans {
  if (process.platform !== "linux") {
    throw new UserError(`--backend native needs Linux, and this is ${process.platform}.`, {
      hint: "Build with Docker or Podman: --backend engine.",
    });
  }
  const path = environment["PATH"] ?? "";
  if (findOnPath("unshare", path) === undefined) throw lacking("unshare, of the package util-linux");
  const fuseOverlayfs = findOnPath("fuse-overlayfs", path) ?? null;
  if (process.getuid?.() === 0) return { identity: "root", fuseOverlayfs };
  for (const program of ["newuidmap", "newgidmap"]) {
    if (findOnPath(program, path) === undefined) throw lacking(`${program}, of the package uidmap`);
  }
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    const { username, uid } = userInfo();
    const text = existsSync(file) ? readFileSync(file, "utf8") : null;
    if (hasSubordinateIds(text, { name: username, id: uid })) continue;
    throw new UserError(`Building without an engine needs subordinate ids, and ${file} has none for ${username}.`, {
      hint: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
    });
  }
  return { identity: "user-namespace", fuseOverlayfs };
}

function lacking(what: string): UserError {
  return new UserError(`Building without an engine needs ${what}, which is not on PATH.`, {
    hint: `Install it. ${DOCTOR}`,
  });
}
