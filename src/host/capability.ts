import { dlopen } from "bun:ffi";

const attribute = new TextEncoder().encode("security.capability\0");
const encoder = new TextEncoder();
const libraries = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

/** Reads a file's security.capability attribute: what `setcap` gave it; undefined when it has none. */
export type ReadCapability = (path: string) => Uint8Array | undefined;

/** A reader of capabilities; where the system has none, no file does. */
export function openReadCapability(): ReadCapability {
  const getAttribute = process.platform === "linux" ? openLibrary() : undefined;
  if (getAttribute === undefined) return () => undefined;
  const value = new Uint8Array(64);
  return (path) => {
    const length = getAttribute(encoder.encode(`${path}\0`), value);
    return length > 0 ? value.slice(0, length) : undefined;
  };
}

function openLibrary(): ((path: Uint8Array, value: Uint8Array) => number) | undefined {
  for (const library of libraries) {
    try {
      const { symbols } = dlopen(library, {
        lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" } as const,
      });
      return (path, value) => symbols.lgetxattr(path, attribute, value, BigInt(value.length));
    } catch {
      // The other C library, then.
    }
  }
  return undefined;
}
