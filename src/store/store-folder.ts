import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256Of } from "../oci/digest.ts";
import { layoutFile } from "../oci/layout-index.ts";
import { isStagedName, stagedPath, unwritable } from "./staged-path.ts";

/** Makes the folder a layout; one that is there already is left as it is. */
export function prepareStore(folder: string): void {
  if (existsSync(join(folder, "oci-layout"))) return;
  try {
    // Images hold what their users put into them: nobody else's business.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const staged = stagedPath(join(folder, "oci-layout"));
    writeFileSync(staged, layoutFile);
    renameSync(staged, join(folder, "oci-layout"));
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** What processes that were killed left of their `index.json`, or of a test of whether there are locks. */
export function sweepStaged(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (isStagedName(name, "index.json") || /^(?:index\.)?lock\../.test(name))
      rmSync(join(folder, name), { force: true });
  }
}

/** A blob whole, checked; undefined when it is not there, or was damaged, in which case it is removed. */
export function readDocument(
  path: string,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new UserError(`Could not read ${path} of cooper's store: ${messageOf(cause)}.`, { cause });
  }
  if (bytes.length === size && sha256Of(bytes) === digest) return bytes;
  rmSync(path, { force: true });
  return undefined;
}
