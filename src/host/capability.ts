import { cString, openLibc } from "./libc.ts";

const attribute = cString("security.capability");

/** Reads a file's security.capability attribute: what `setcap` gave it; undefined when it has none. */
export type ReadCapability = (path: string) => Uint8Array | undefined;

/** A reader of capabilities; where the system has none, no file does. */
export function openReadCapability(): ReadCapability {
  const libc = openLibc();
  if (libc === undefined) return () => undefined;
  const value = new Uint8Array(64);
  return (path) => {
    const length = libc.lgetxattr(cString(path), attribute, value, BigInt(value.length));
    return length > 0 ? value.slice(0, length) : undefined;
  };
}
