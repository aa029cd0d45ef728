import { cString, requireLibc, SystemError } from "./libc.ts";

/** What can be made besides files, directories and links. */
export type NodeKind =
  | { readonly kind: "character-device" | "block-device"; readonly major: number; readonly minor: number }
  | { readonly kind: "fifo" };

const kindBits = { "character-device": 0o020000, "block-device": 0o060000, fifo: 0o010000 } as const;
const mknodat = process.arch === "arm64" ? 33n : 259n;
const workingDirectory = -100n;

/** Makes a device or a named pipe that only its owner can use; throws an error whose `code` is errno's name. */
export function makeNode(path: string, node: NodeKind): void {
  const libc = requireLibc();
  const device = node.kind === "fifo" ? 0n : deviceNumber(node);
  const mode = BigInt(kindBits[node.kind] | 0o600);
  if (libc.syscall(mknodat, workingDirectory, cString(path), mode, device) === 0) return;
  throw new SystemError(libc.errno(), { syscall: "mknod", path });
}

/** As the kernel takes it from programs: twelve bits of the major number, twenty of the minor. */
function deviceNumber({ major, minor }: { major: number; minor: number }): bigint {
  return BigInt((minor & 0xff) | ((major & 0xfff) << 8)) | (BigInt(minor & 0xfff00) << 12n);
}
