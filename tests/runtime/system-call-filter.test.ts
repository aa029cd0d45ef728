import { describe, expect, test } from "bun:test";
import { systemCallFilter } from "../../src/runtime/system-call-filter.ts";

interface Call {
  readonly architecture: number;
  readonly number: number;
  readonly argument?: number;
  readonly second?: number;
}

const ALLOWED = 0x7fff0000;
const REFUSED = 0x00050001;
const UNKNOWN = 0x00050026;

/** Runs the filter as the kernel does: its few instructions, over struct seccomp_data. */
function judge(filter: Uint8Array, { architecture, number, argument = 0, second = 0 }: Call): number {
  const program = new DataView(filter.buffer);
  const data: Record<number, number> = { 0: number, 4: architecture, 16: argument, 24: second };
  let accumulator = 0;
  for (let index = 0; index * 8 < filter.length; index += 1) {
    const value = program.getUint32(index * 8 + 4, true);
    const [ifTrue, ifFalse] = [program.getUint8(index * 8 + 2), program.getUint8(index * 8 + 3)];
    switch (program.getUint16(index * 8, true)) {
      case 0x20: {
        const word = data[value];
        if (word === undefined) throw new Error(`nothing is at ${value}`);
        accumulator = word;
        break;
      }
      case 0x06:
        return value;
      case 0x15:
        index += accumulator === value ? ifTrue : ifFalse;
        break;
      case 0x35:
        index += accumulator >= value ? ifTrue : ifFalse;
        break;
      case 0x45:
        index += (accumulator & value) === 0 ? ifFalse : ifTrue;
        break;
      default:
        throw new Error("an instruction that is not in it");
    }
  }
  throw new Error("it ends without an answer");
}

const MACHINES = [
  {
    arch: "x64",
    name: "x64",
    control: 16,
    architecture: 0xc000003e,
    read: 0,
    clone: 56,
    mount: 165,
    keyctl: 250,
    unshare: 272,
  },
  {
    arch: "x64",
    name: "i386",
    control: 54,
    architecture: 0x40000003,
    read: 3,
    clone: 120,
    mount: 21,
    keyctl: 288,
    unshare: 310,
  },
  {
    arch: "arm64",
    name: "arm64",
    control: 29,
    architecture: 0xc00000b7,
    read: 63,
    clone: 220,
    mount: 40,
    keyctl: 219,
    unshare: 97,
  },
  {
    arch: "arm64",
    name: "arm",
    control: 54,
    architecture: 0x40000028,
    read: 3,
    clone: 120,
    mount: 21,
    keyctl: 311,
    unshare: 337,
  },
] as const;

describe.each(MACHINES)(
  "the filter for $name",
  ({ arch, architecture, read, clone, mount, keyctl, unshare, control }) => {
    const filter = systemCallFilter(arch);
    const outcome = (number: number, argument?: number) =>
      judge(filter, { architecture, number, ...(argument === undefined ? {} : { argument }) });

    test("lets through what programs do", () => {
      expect(outcome(read)).toBe(ALLOWED);
      // SIGCHLD alone, and a thread's flags.
      expect([outcome(clone, 17), outcome(clone, 0x3d0f00)]).toEqual([ALLOWED, ALLOWED]);
      // openat2, close_range, faccessat2: new, and harmless.
      expect([437, 436, 439].map((number) => outcome(number))).toEqual([ALLOWED, ALLOWED, ALLOWED]);
    });

    test("refuses keys, mounts and namespaces", () => {
      expect([mount, keyctl, unshare, 428, 442].map((number) => outcome(number))).toEqual(Array(5).fill(REFUSED));
      for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
        expect(outcome(clone, flag | 17)).toBe(REFUSED);
      }
    });

    test("refuses to type on a terminal, and lets its other settings through", () => {
      const requests = [0x5412, 0x541c, 0x5401, 0x5413];
      const outcomes = requests.map((second) => judge(filter, { architecture, number: control, second }));
      expect(outcomes).toEqual([REFUSED, REFUSED, ALLOWED, ALLOWED]);
    });

    test("knows no clone3, whose flags it could not see", () => {
      expect(outcome(435)).toBe(UNKNOWN);
    });
  },
);

test("calls of other interfaces are refused as a whole", () => {
  const filter = systemCallFilter("x64");
  expect(judge(filter, { architecture: 0xc00000b7, number: 63 })).toBe(REFUSED);
  expect(judge(filter, { architecture: 0xc000003e, number: 0x40000000 })).toBe(UNKNOWN);
});
