import { dlopen } from "bun:ffi";
import { existsSync } from "node:fs";

/** Whether `setCapability` works here. */
export const maySetCapabilities: boolean =
  process.getuid?.() === 0 && ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].some(existsSync);

/** What `setcap` does, without needing it: gives a file the capability of this number, and its attribute's value back. */
export function setCapability(path: string, number = 13): Uint8Array {
  const { symbols } = dlopen("libc.so.6", {
    lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  } as const);
  // VFS_CAP_REVISION_2 with the effective bit, then the first permitted set.
  const value = new Uint8Array(20);
  value.set([1, 0, 0, 2]);
  value[4 + (number >> 3)] = 1 << (number & 7);
  const [name, attribute] = [Buffer.from(`${path}\0`), Buffer.from("security.capability\0")];
  if (symbols.lsetxattr(name, attribute, value, BigInt(value.length), 0) !== 0) {
    throw new Error(`${path} could not be given a capability.`);
  }
  return value;
}
