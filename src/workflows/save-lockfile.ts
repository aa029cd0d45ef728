import { rename, rm, writeFile } from "node:fs/promises";
import { messageOf, UserError } from "../errors.ts";

/** Writes a lockfile so that it appears whole or not at all; nothing for undefined. */
export async function saveLockfile(
  lockfile: { readonly path: string; readonly text: string } | undefined,
): Promise<void> {
  if (lockfile === undefined) return;
  const temporary = `${lockfile.path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, lockfile.text);
    await rename(temporary, lockfile.path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new UserError(`The lockfile ${lockfile.path} could not be written: ${messageOf(cause)}.`, {
      hint: "Make the folder writable, or build with --no-lockfile.",
      cause,
    });
  }
}
