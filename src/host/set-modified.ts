import { cString, requireLibc, SystemError } from "./libc.ts";

const workingDirectory = -100;
const noFollow = 0x100;

/** Sets when a file, or a symlink itself, was last read and modified, to the nanosecond. */
export function setModified(path: string, time: { readonly seconds: number; readonly nanoseconds: number }): void {
  const libc = requireLibc();
  const [seconds, nanoseconds] = [BigInt(time.seconds), BigInt(time.nanoseconds)];
  const times = new BigInt64Array([seconds, nanoseconds, seconds, nanoseconds]);
  if (libc.utimensat(workingDirectory, cString(path), times, noFollow) === 0) return;
  throw new SystemError(libc.errno(), { syscall: "utimensat", path });
}
