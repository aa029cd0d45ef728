const HEADERS = 120;
const ADDRESS = 0x400000;

/** What each architecture is called in an ELF header, and the instructions of `exit(0)`. */
const PROGRAMS: Readonly<Record<string, { readonly machine: number; readonly code: readonly number[] }>> = {
  amd64: { machine: 0x3e, code: [0x31, 0xff, 0xb8, 0x3c, 0x00, 0x00, 0x00, 0x0f, 0x05] },
  arm64: { machine: 0xb7, code: [0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4] },
};

/** A Linux executable of some 130 bytes that needs nothing and does nothing but succeed; undefined for other architectures. */
export function testProgram(architecture: string): Uint8Array<ArrayBuffer> | undefined {
  const program = PROGRAMS[architecture];
  if (program === undefined) return undefined;
  const size = HEADERS + program.code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const word = (offset: number, value: number) => view.setUint16(offset, value, true);
  const long = (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true);
  // The file header: 64-bit little-endian ELF, an executable with one program header behind this one.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  word(16, 2);
  word(18, program.machine);
  view.setUint32(20, 1, true);
  long(24, ADDRESS + HEADERS);
  long(32, 64);
  word(52, 64);
  word(54, 56);
  word(56, 1);
  // The program header: the whole file, loaded to be read and executed; aligned for the largest pages there are.
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  long(80, ADDRESS);
  long(88, ADDRESS);
  long(96, size);
  long(104, size);
  long(112, 0x10000);
  bytes.set(program.code, HEADERS);
  return bytes;
}
