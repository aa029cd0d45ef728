/** Where a workspace of the host is in an agent's container: below the home as it is below the host's, else below /workspace. */
export function containerWorkspace(
  workspace: string,
  { hostHome, home }: { readonly hostHome: string; readonly home: string },
): string {
  return workspace.startsWith(`${hostHome}/`)
    ? `${home}/${workspace.slice(hostHome.length + 1)}`
    : `/workspace${workspace}`;
}

/** A port of 32768 to 65535 that is a workspace's own: by the checksum of its path that POSIX's cksum prints. */
export function workspacePort(workspace: string): number {
  return 32768 + (posixChecksum(new TextEncoder().encode(workspace)) % 32768);
}

/** The checksum of POSIX cksum: CRC-32 with the length appended, complemented. */
export function posixChecksum(bytes: Uint8Array): number {
  let crc = 0;
  const feed = (byte: number) => {
    crc = ((crc << 8) ^ (TABLE[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  };
  for (const byte of bytes) feed(byte);
  for (let length = bytes.length; length > 0; length = Math.floor(length / 256)) feed(length & 0xff);
  return ~crc >>> 0;
}

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0);
  return value >>> 0;
});

/** A word as part of a container's name: letters, digits, `_`, `.` and `-`, at most 80 of them. */
export function containerNamePart(text: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9_.-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 80);
  return plain === "" ? "workspace" : plain;
}
