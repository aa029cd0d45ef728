import { read } from "bun:ffi";
import { constants } from "node:os";
import { UserError } from "../errors.ts";
import { openCLibrary } from "./c-library.ts";

const encoder = new TextEncoder();

let opened: Libc | undefined;

/** The functions of Linux's C library that the runtime does not offer; undefined where there is none that is known. */
export function openLibc(): Libc | undefined {
  if (process.platform === "linux") opened ??= openFunctions();
  return opened;
}

/** Those functions; throws a UserError where there are none. */
export function requireLibc(): Libc {
  const libc = openLibc();
  if (libc !== undefined) return libc;
  throw new UserError("Could not open the system's C library: it is none that is known.", {
    hint: "File attributes and devices need Linux with glibc or musl.",
  });
}

export type Libc = NonNullable<ReturnType<typeof openFunctions>>;

/** All on one thread, where errno's place does not change. */
function openFunctions() {
  const symbols = openCLibrary({
    lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" } as const,
    lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" } as const,
    llistxattr: { args: ["ptr", "ptr", "u64"], returns: "i32" } as const,
    utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" } as const,
    // glibc had no function `mknod` before 2.33.
    syscall: { args: ["i64", "i64", "ptr", "i64", "i64"], returns: "i32" } as const,
    __errno_location: { args: [], returns: "ptr" } as const,
  });
  if (symbols === undefined) return undefined;
  const place = symbols.__errno_location();
  return { ...symbols, errno: () => (place === null ? 0 : read.i32(place, 0)) };
}

/** A path or name as C takes it. */
export function cString(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]),
);

/** The name of an error by its number. */
export function errorName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** What a C function's errno says, in the shape of the runtime's own errors: `code` is its name. */
export class SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path: string;

  constructor(errno: number, { syscall, path }: { syscall: string; path: string }) {
    const code = errorName(errno);
    super(`${code}: ${syscall} '${path}'`);
    this.name = "SystemError";
    this.code = code;
    this.syscall = syscall;
    this.path = path;
  }
}
