import { dlopen, type FFIFunction, type Library } from "bun:ffi";

const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
const libraries = process.platform === "darwin" ? ["libSystem.B.dylib"] : ["libc.so.6", musl];

/** Functions of this system's C library; undefined where it has none that is known, or lacks one of them. */
export function openCLibrary<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>["symbols"] | undefined {
  for (const library of libraries) {
    try {
      return dlopen(library, functions).symbols;
    } catch {
      // The other C library, then.
    }
  }
  return undefined;
}
