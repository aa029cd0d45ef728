import { expect, test } from "bun:test";
import { posixChecksum, workspacePort } from "../../src/agent/workspace-place.ts";

/** What `printf %s TEXT | cksum` prints. */
const VECTORS = new Map([
  ["", 4294967295],
  ["a", 1220704766],
  ["123456789", 930766865],
  ["/home/ada/project", 2935784825],
  ["/home/ada/größe", 4019577401],
]);

test("the checksum is the one of cksum", () => {
  for (const [text, checksum] of VECTORS) expect(posixChecksum(new TextEncoder().encode(text))).toBe(checksum);
});

test("a workspace's port is its checksum in the upper half of all ports", () => {
  for (const [text, checksum] of VECTORS) {
    expect(workspacePort(text)).toBe(32768 + (checksum % 32768));
  }
});
