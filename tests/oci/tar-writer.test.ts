import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTar } from "../../src/oci/tar.ts";
import { encodeTarHeader, type TarMember, tarEnd, tarPadding, writeTarHeader } from "../../src/oci/tar-writer.ts";
import { concatBytes } from "../fakes/registry-tar.ts";

const common = { mode: 0o644, uid: 0, gid: 0, modified: 0 } as const;

function file(path: string, more: Partial<Extract<TarMember, { kind: "file" }>> = {}): TarMember {
  return { ...common, kind: "file", path, size: 0, capability: undefined, ...more };
}

/** What the system's tar lists, with numbers for owners. */
function listed(members: readonly TarMember[]): string {
  const folder = mkdtempSync(join(tmpdir(), "cooper-tar-"));
  try {
    writeFileSync(join(folder, "x.tar"), concatBytes([...members.map(encodeTarHeader), tarEnd]));
    const words = ["tar", "--quoting-style=literal", "--numeric-owner", "-tvf", join(folder, "x.tar")];
    const { stdout, stderr } = Bun.spawnSync(words, {
      env: { TZ: "UTC", LC_ALL: "C.UTF-8", PATH: process.env["PATH"] },
    });
    return `${stdout}${stderr}`.replaceAll(/ +/g, " ");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a file, a directory and links are one block each", () => {
  const members: TarMember[] = [
    file("a", { mode: 0o4711, uid: 1000, gid: 50, modified: 86400 }),
    { ...common, kind: "directory", path: "d", mode: 0o1777 },
    { ...common, kind: "symlink", path: "s", target: "a" },
    { ...common, kind: "hardlink", path: "h", target: "a" },
  ];
  expect(members.map((member) => encodeTarHeader(member).length)).toEqual([512, 512, 512, 512]);
  expect(listed(members)).toBe(
    `-rws--x--x 1000/50 0 1970-01-02 00:00 a
drwxrwxrwt 0/0 0 1970-01-01 00:00 d/
lrw-r--r-- 0/0 0 1970-01-01 00:00 s -> a
hrw-r--r-- 0/0 0 1970-01-01 00:00 h link to a
`,
  );
});

test.each([1, 99, 100, 101, 102, 155, 156, 200, 255, 256, 257, 1000])("a name of %i bytes is read back", (length) => {
  const names = [
    "n".repeat(length),
    `${"d".repeat(Math.ceil(length / 2))}/${"n".repeat(Math.max(1, Math.floor(length / 2) - 1))}`,
    "d/".repeat(Math.ceil(length / 2)).slice(0, -1),
  ];
  const members: TarMember[] = names.flatMap((path) => [file(path), { ...common, kind: "directory", path }]);
  const archive = concatBytes([...members.map(encodeTarHeader), tarEnd]);
  expect([...readTar(archive)].map(({ path }) => path)).toEqual(names.flatMap((path) => [path, `${path}/`]));
  expect(listed(members)).toContain(names[0] ?? "");
});

test("long ASCII names need no more than a block where a slash divides them", () => {
  expect(encodeTarHeader(file(`${"d".repeat(155)}/${"n".repeat(100)}`))).toHaveLength(512);
  expect(encodeTarHeader(file(`${"d".repeat(155)}/${"n".repeat(101)}`))).toHaveLength(1536);
});

test("names and targets beyond ASCII are read back by us and by the system's tar", () => {
  const members: TarMember[] = [file("größe/日本"), { ...common, kind: "symlink", path: "é", target: "größe" }];
  const archive = concatBytes([...members.map(encodeTarHeader), tarEnd]);
  expect([...readTar(archive)].map((entry) => [entry.path, "target" in entry ? entry.target : ""])).toEqual([
    ["größe/日本", ""],
    ["é", "größe"],
  ]);
  expect(listed(members)).toContain("é -> größe");
});

test.each([8 * 1024 ** 3 - 1, 8 * 1024 ** 3, 20 * 1024 ** 3])("a file of %i bytes has its size", (size) => {
  expect(listed([file("large", { size })])).toContain(` ${size} `);
});

test("ids and times beyond the header's fields are told all the same", () => {
  expect(listed([file("a", { uid: 4294967294, gid: 3000000, modified: 68719476736 })])).toStartWith(
    "-rw-r--r-- 4294967294/3000000 0 4147-08-20",
  );
});

test("a capability is an extended attribute", () => {
  const header = encodeTarHeader(file("a", { capability: Uint8Array.of(1, 0, 0, 2, 0x0a, 0xff) }));
  expect(Buffer.from(header).toString("latin1", 512, 555)).toBe(
    "43 SCHILY.xattr.security.capability=\u0001\u0000\u0000\u0002\n\u00ff\n",
  );
});

test.each([0, 1, 511, 512, 513])("content of %i bytes is padded to whole blocks", (size) => {
  expect((size + tarPadding(size)) % 512).toBe(0);
  expect(tarPadding(size)).toBeLessThan(512);
});

test("a header is written in place as it is given out, where it is one block", () => {
  const members: TarMember[] = [
    file("a", { mode: 0o104711, uid: 1000, gid: 50, modified: 86400, size: 77 }),
    { ...common, kind: "directory", path: "d", mode: 0o1777 },
    { ...common, kind: "symlink", path: "s", target: "a" },
    { ...common, kind: "hardlink", path: "h", target: "a".repeat(100) },
    file(`${"d".repeat(120)}/${"n".repeat(90)}`),
    file("n".repeat(101)),
    file("ö"),
    { ...common, kind: "symlink", path: "s", target: "ö" },
    file("large", { size: 8 * 1024 ** 3 }),
    file("owned", { uid: 3_000_000 }),
    file("grouped", { gid: 3_000_000 }),
    file("late", { modified: 8 * 1024 ** 3 }),
    file("capable", { capability: Uint8Array.of(1, 2, 3) }),
  ];
  for (const member of members) {
    const [whole, bytes] = [encodeTarHeader(member), new Uint8Array(2048).fill(0xaa)];
    const written = writeTarHeader(member, bytes, 700);
    expect(written).toBe(whole.length === 512);
    const expected = new Uint8Array(2048).fill(0xaa);
    if (written) expected.set(whole, 700);
    expect(bytes).toEqual(expected);
  }
});
