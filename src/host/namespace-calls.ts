import { ptr, read } from "bun:ffi";
import { openCLibrary } from "./c-library.ts";
import { cString, errorName } from "./libc.ts";

/** What a process in namespaces of its own asks the kernel for; each throws KernelRefusal. Paths are looked up as the caller's. */
export interface NamespaceCalls {
  readonly mount: (mount: MountCall) => void;
  /** Gives this thread, and whatever it starts, a copy of its mount namespace; what it started before stays where it is. */
  readonly separateMounts: () => void;
  /** Makes the current directory, a mount point, the root of this process and of those that it starts; nothing else stays mounted. */
  readonly enterRoot: () => void;
  /** Leaves out, for whatever this thread starts, all capabilities but these. */
  readonly boundCapabilities: (kept: readonly number[]) => void;
  /** Has every system call of this thread, and of whatever it starts, judged by a seccomp filter: an array of struct sock_filter. */
  readonly filterSystemCalls: (filter: Uint8Array) => void;
  readonly setHostName: (name: string) => void;
  /** Brings the network namespace's own loopback interface up. */
  readonly raiseLoopback: () => void;
  /** Gives whatever this thread starts these ids and groups. */
  readonly becomeUser: (ids: {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  }) => void;
  /** A pipe's two ends, which what is started does not get by itself. */
  readonly pipe: () => { readonly read: number; readonly write: number };
}

/** mount(2)'s arguments. */
export interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags: number;
  readonly data?: string;
}

/** mount(2)'s flags. */
export const MOUNT_FLAGS = {
  readOnly: 1,
  noSetuid: 2,
  noDevices: 4,
  noExecution: 8,
  remount: 32,
  bind: 4096,
  recursive: 16384,
  private: 1 << 18,
} as const;

/** The kernel's refusal of a call, by the name of its error. */
export class KernelRefusal extends Error {
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.name = "KernelRefusal";
    this.code = code;
  }
}

// The kernel's numbers, which differ between architectures. The C library's own calls would change every thread.
const CALL_NUMBERS =
  process.arch === "arm64"
    ? { unshare: 97n, pivotRoot: 41n, setGroups: 159n, setResGid: 149n, setResUid: 147n }
    : { unshare: 272n, pivotRoot: 155n, setGroups: 116n, setResGid: 119n, setResUid: 117n };
const PR_CAPBSET_DROP = 24;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2n;
const LAST_CAPABILITY = 63;
const MNT_DETACH = 2;
const CLONE_NEWNS = 0x20000n;

/** Opens the C library; throws KernelRefusal where there is none that is known. */
export function openNamespaceCalls(): NamespaceCalls {
  const library = openLibrary();
  const check = (result: number | bigint, call: string) => {
    if (Number(result) < 0) throw new KernelRefusal(call, library.lastError());
  };
  return {
    mount({ source, target, type, flags, data }) {
      const result = library.mount(
        cString(source),
        cString(target),
        type === undefined ? null : cString(type),
        BigInt(flags),
        data === undefined ? null : cString(data),
      );
      check(result, `mount ${type ?? "bind"} on ${target}`);
    },
    separateMounts() {
      check(library.setIds(CALL_NUMBERS.unshare, CLONE_NEWNS, 0n, 0n), "unshare(CLONE_NEWNS)");
    },
    enterRoot() {
      check(library.syscall(CALL_NUMBERS.pivotRoot, cString("."), cString("."), null), "pivot_root");
      // Stacked on the new root: what is undone is the old one.
      check(library.umount2(cString("."), MNT_DETACH), "umount of the old root");
      process.chdir("/");
    },
    boundCapabilities(kept) {
      for (let capability = 0; capability <= LAST_CAPABILITY; capability++) {
        if (kept.includes(capability)) continue;
        const result = library.prctl(PR_CAPBSET_DROP, BigInt(capability), 0n, 0n, 0n);
        // Past the last one that this kernel knows.
        if (result < 0 && library.lastError() === "EINVAL") return;
        check(result, "prctl(PR_CAPBSET_DROP)");
      }
    },
    filterSystemCalls(filter) {
      // struct sock_fprog: the count, then where they are.
      const program = new DataView(new ArrayBuffer(16));
      program.setUint16(0, filter.length / 8, true);
      program.setBigUint64(8, BigInt(ptr(filter)), true);
      const place = BigInt(ptr(program.buffer));
      check(library.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, place, 0n, 0n), "prctl(PR_SET_SECCOMP)");
    },
    setHostName(name) {
      const bytes = new TextEncoder().encode(name);
      check(library.sethostname(bytes, BigInt(bytes.length)), "sethostname");
    },
    raiseLoopback() {
      const socket = library.socket(AF_INET, SOCK_DGRAM, 0);
      check(socket, "socket");
      // struct ifreq: the name in 16 bytes, then the flags.
      const request = new Uint8Array(40);
      request.set(new TextEncoder().encode("lo"));
      new DataView(request.buffer).setInt16(16, IFF_UP, true);
      check(library.ioctl(socket, SIOCSIFFLAGS, request), "ioctl(SIOCSIFFLAGS)");
      library.close(socket);
    },
    becomeUser({ uid, gid, groups }) {
      const list = new Uint32Array(Math.max(1, groups.length));
      list.set(groups);
      const three = (id: number) => [BigInt(id), BigInt(id), BigInt(id)] as const;
      check(library.setGroups(CALL_NUMBERS.setGroups, BigInt(groups.length), list), "setgroups");
      check(library.setIds(CALL_NUMBERS.setResGid, ...three(gid)), "setresgid");
      check(library.setIds(CALL_NUMBERS.setResUid, ...three(uid)), "setresuid");
    },
    pipe() {
      const ends = new Int32Array(2);
      check(library.pipe2(ends, O_CLOEXEC), "pipe");
      const [read = -1, write = -1] = ends;
      return { read, write };
    },
  };
}

const O_CLOEXEC = 0x80000;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const IFF_UP = 1;
const SIOCSIFFLAGS = 0x8914n;

function openLibrary() {
  const symbols = openCLibrary({
    mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" } as const,
    umount2: { args: ["ptr", "i32"], returns: "i32" } as const,
    syscall: { args: ["i64", "ptr", "ptr", "ptr"], returns: "i64" } as const,
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" } as const,
    sethostname: { args: ["ptr", "u64"], returns: "i32" } as const,
    socket: { args: ["i32", "i32", "i32"], returns: "i32" } as const,
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } as const,
    close: { args: ["i32"], returns: "i32" } as const,
    pipe2: { args: ["ptr", "i32"], returns: "i32" } as const,
    __errno_location: { args: [], returns: "ptr" } as const,
  });
  // The same function with numbers for arguments, and with a list.
  const ids = openCLibrary({ syscall: { args: ["i64", "u64", "u64", "u64"], returns: "i64" } as const });
  const lists = openCLibrary({ syscall: { args: ["i64", "u64", "ptr"], returns: "i64" } as const });
  if (symbols === undefined || ids === undefined || lists === undefined) {
    throw new KernelRefusal("dlopen(libc)", "ENOENT");
  }
  const place = symbols.__errno_location();
  const lastError = () => errorName(place === null ? 0 : read.i32(place, 0));
  return { ...symbols, setIds: ids.syscall, setGroups: lists.syscall, lastError };
}
