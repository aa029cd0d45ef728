import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { KernelRefusal } from "../host/namespace-calls.ts";
import { type ImageAccount, imageAccount, type UnknownAccount } from "../oci/image-account.ts";

const MAXIMUM_BYTES = 4 * 1024 * 1024;

/** The account of `user` or `user:group` in the image that is this process's root: no link of the image leads out of it then. Throws KernelRefusal for files that are too large. */
export function readImageAccount(wanted: string): ImageAccount | UnknownAccount {
  return imageAccount(wanted, { passwd: readSmallFile("/etc/passwd"), group: readSmallFile("/etc/group") });
}

/** A pipe or a device in a file's place is nothing: it would be read for ever. So is what has no size, as what the kernel makes up. */
function readSmallFile(path: string): string {
  const file = openFile(path);
  if (file === undefined) return "";
  try {
    const { size } = fstatSync(file);
    if (size > MAXIMUM_BYTES) throw new KernelRefusal(`reading the image's ${path}, which is over 4 MiB`, "EFBIG");
    const bytes = new Uint8Array(size);
    return new TextDecoder().decode(bytes.subarray(0, size === 0 ? 0 : readSync(file, bytes)));
  } finally {
    closeSync(file);
  }
}

function openFile(path: string): number | undefined {
  try {
    return statSync(path).isFile() ? openSync(path, constants.O_RDONLY | constants.O_NOCTTY) : undefined;
  } catch {
    // Absent, links that lead in circles, or something of the kernel's.
    return undefined;
  }
}
