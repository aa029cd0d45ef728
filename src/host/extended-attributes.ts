import { cString, requireLibc, SystemError } from "./libc.ts";

const largestValue = 65_536;

/** An attribute of a file, of a symlink itself; undefined when it has none of that name, or its file system none at all. */
export function getAttribute(path: string, name: string): Uint8Array | undefined {
  const libc = requireLibc();
  const value = new Uint8Array(256);
  const [place, attribute] = [cString(path), cString(name)];
  const length = libc.lgetxattr(place, attribute, value, BigInt(value.length));
  if (length >= 0) return value.slice(0, length);
  const error = new SystemError(libc.errno(), { syscall: "lgetxattr", path });
  if (error.code === "ENODATA" || error.code === "EOPNOTSUPP" || error.code === "ENOTSUP") return undefined;
  if (error.code !== "ERANGE") throw error;
  const large = new Uint8Array(largestValue);
  const whole = libc.lgetxattr(place, attribute, large, BigInt(large.length));
  if (whole < 0) throw new SystemError(libc.errno(), { syscall: "lgetxattr", path });
  return large.slice(0, whole);
}

/** Sets an attribute of a file, of a symlink itself; throws an error whose `code` is errno's name. */
export function setAttribute(path: string, { name, value }: { name: string; value: Uint8Array }): void {
  const libc = requireLibc();
  if (libc.lsetxattr(cString(path), cString(name), value, BigInt(value.length), 0) === 0) return;
  throw new SystemError(libc.errno(), { syscall: "lsetxattr", path });
}

/** The names of a file's attributes; none where its file system has none. */
export function listAttributes(path: string): string[] {
  const libc = requireLibc();
  const place = cString(path);
  const size = libc.llistxattr(place, null, 0n);
  if (size === 0) return [];
  const bytes = new Uint8Array(Math.max(size, 0));
  const length = size < 0 ? size : libc.llistxattr(place, bytes, BigInt(size));
  if (length >= 0) return Buffer.from(bytes.subarray(0, length)).toString().split("\0").slice(0, -1);
  const error = new SystemError(libc.errno(), { syscall: "llistxattr", path });
  if (error.code === "EOPNOTSUPP" || error.code === "ENOTSUP") return [];
  throw error;
}
