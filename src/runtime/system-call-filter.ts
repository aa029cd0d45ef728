/** The kernel's numbers of calls in one of its interfaces. */
interface Interface {
  /** AUDIT_ARCH_* of <linux/audit.h>, by which a filter tells interfaces apart. */
  readonly architecture: number;
  /** Numbers from here on are of an interface that nobody needs. */
  readonly end: number | undefined;
  readonly clone: number;
  /** ioctl. */
  readonly control: number;
  readonly refused: readonly number[];
}

// mount_setattr, quotactl_fd, io_uring_*, open_tree, move_mount, fs*, clone3: new calls have one number everywhere.
const REFUSED_EVERYWHERE = [442, 443, 425, 426, 427, 428, 429, 430, 431, 432, 433, 467];
const CLONE3 = 435;

/**
 * In the order: acct, add_key, bpf, clock_adjtime, clock_settime, delete_module, fanotify_init, finit_module, init_module, kcmp,
 * kexec_file_load, kexec_load, keyctl, lookup_dcookie, mount, open_by_handle_at, perf_event_open, pivot_root, quotactl, reboot,
 * request_key, setns, settimeofday, swapoff, swapon, syslog, umount2, unshare, userfaultfd, vhangup; then what only that one has.
 */
const X64: Interface = {
  architecture: 0xc000003e,
  end: 0x40000000,
  clone: 56,
  control: 16,
  refused: [
    ...[163, 248, 321, 305, 227, 176, 300, 313, 175, 312, 320, 246, 250, 212, 165, 304, 298, 155, 179, 169, 249, 308],
    ...[164, 168, 167, 103, 166, 272, 323, 153, 134, 136, 139, 156, 172, 173, 174, 177, 178, 180],
  ],
};
const I386: Interface = {
  architecture: 0x40000003,
  end: undefined,
  clone: 120,
  control: 54,
  refused: [
    ...[51, 286, 357, 343, 264, 129, 338, 350, 128, 349, 283, 288, 253, 21, 342, 336, 217, 131, 88, 287, 346],
    ...[79, 115, 87, 103, 52, 310, 374, 111, 22, 25, 86, 101, 110, 113, 127, 130, 135, 149, 166, 167, 169, 404, 405],
  ],
};
const ARM64: Interface = {
  architecture: 0xc00000b7,
  end: undefined,
  clone: 220,
  control: 29,
  refused: [
    ...[89, 217, 280, 266, 112, 106, 262, 273, 105, 272, 294, 104, 219, 18, 40, 265, 241, 41, 60, 142, 218, 268],
    ...[170, 225, 224, 116, 39, 97, 282, 58, 42],
  ],
};
const ARM: Interface = {
  architecture: 0x40000028,
  end: undefined,
  clone: 120,
  control: 54,
  refused: [
    ...[51, 309, 386, 372, 262, 129, 367, 379, 128, 378, 401, 347, 311, 249, 21, 371, 364, 218, 131, 88, 310, 375],
    ...[79, 115, 87, 103, 52, 337, 388, 111, 86, 149, 169, 404, 405],
  ],
};

/** TIOCSTI and TIOCLINUX, which type on the terminal that a process shares with those outside. */
const TYPING_REQUESTS = [0x5412, 0x541c];
/** The flags of clone(2) that ask for a namespace. */
const NEW_NAMESPACES = 0x7e020000;
const RETURN_ALLOW = 0x7fff0000;
const RETURN_ERROR = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
/** Of struct seccomp_data. */
const OFFSETS = { number: 0, architecture: 4, firstArgument: 16, secondArgument: 24 };
/** Of <linux/bpf_common.h>: load a word; return a constant; jump if equal, greater or equal, or a bit is set. */
const CODES = { load: 0x20, give: 0x06, ifEqual: 0x15, ifAtLeast: 0x35, ifAnyBit: 0x45 };

/** One instruction; the jumps count the instructions that are passed over. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * A seccomp filter, as an array of struct sock_filter, that refuses what containers refuse by default: the kernel's keys and modules,
 * mounts and namespaces, clocks, tracing of the whole machine, and typing on a shared terminal. It knows the processor's own interface and its 32-bit one.
 */
export function systemCallFilter(arch: "x64" | "arm64"): Uint8Array {
  const interfaces = arch === "x64" ? [X64, I386] : [ARM64, ARM];
  const program: readonly Instruction[] = [
    [CODES.load, 0, 0, OFFSETS.architecture],
    ...interfaces.flatMap(sectionOf),
    [CODES.give, 0, 0, RETURN_ERROR | EPERM],
  ];
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, ifTrue);
    bytes.setUint8(index * 8 + 3, ifFalse);
    bytes.setUint32(index * 8 + 4, value, true);
  }
  return new Uint8Array(bytes.buffer);
}

/** Passed over as a whole by calls of another interface. */
function sectionOf({ architecture, end, clone, control, refused }: Interface): readonly Instruction[] {
  const numbers = [...refused, ...REFUSED_EVERYWHERE];
  const bounds = end === undefined ? [] : [end];
  // Six about clone3, clone and ioctl, one for each request; then what is given.
  const allow = bounds.length + numbers.length + 6 + TYPING_REQUESTS.length;
  const [refuse, unknown] = [allow + 1, allow + 2];
  const body: Instruction[] = [];
  const jump = (target: number) => target - body.length - 1;
  for (const bound of bounds) body.push([CODES.ifAtLeast, jump(unknown), 0, bound]);
  for (const number of numbers) body.push([CODES.ifEqual, jump(refuse), 0, number]);
  // The C library goes on with clone, whose flags can be looked at.
  body.push([CODES.ifEqual, jump(unknown), 0, CLONE3]);
  body.push([CODES.ifEqual, 0, 2, clone]);
  body.push([CODES.load, 0, 0, OFFSETS.firstArgument]);
  body.push([CODES.ifAnyBit, jump(refuse), jump(allow), NEW_NAMESPACES]);
  body.push([CODES.ifEqual, 0, jump(allow), control]);
  body.push([CODES.load, 0, 0, OFFSETS.secondArgument]);
  for (const request of TYPING_REQUESTS) body.push([CODES.ifEqual, jump(refuse), 0, request]);
  body.push([CODES.give, 0, 0, RETURN_ALLOW]);
  body.push([CODES.give, 0, 0, RETURN_ERROR | EPERM]);
  body.push([CODES.give, 0, 0, RETURN_ERROR | ENOSYS]);
  return [[CODES.ifEqual, 0, body.length + 1, architecture], [CODES.load, 0, 0, OFFSETS.number], ...body];
}
