import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { readTar } from "../../src/oci/tar.ts";
import { concatBytes, paxRecord, tarOf } from "../fakes/registry-tar.ts";

const longName = `${"folder/".repeat(15)}${"n".repeat(90)}`;
const veryLongName = `${"a".repeat(300)}/é`;

function textOf(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}

function namesOf(archive: Uint8Array): string[] {
  return [...readTar(archive)].map((entry) => entry.path);
}

test("files, directories and links are read in archive order", () => {
  const archive = tarOf([
    { path: "./", type: "5" },
    { path: "./install.sh", content: "#!/bin/sh\n", mode: 0o755 },
    { path: "./empty", content: "" },
    { path: "./link", type: "2", target: "install.sh" },
    { path: "./hard", type: "1", target: "./install.sh" },
    { path: "./pipe", type: "6" },
    { path: "./null", type: "3" },
  ]);
  expect([...readTar(archive)]).toEqual([
    { kind: "directory", path: "./", mode: 0o755 },
    { kind: "file", path: "./install.sh", mode: 0o755, content: new TextEncoder().encode("#!/bin/sh\n") },
    { kind: "file", path: "./empty", mode: 0o644, content: new Uint8Array() },
    { kind: "symlink", path: "./link", target: "install.sh" },
    { kind: "hardlink", path: "./hard", target: "./install.sh" },
    { kind: "fifo", path: "./pipe" },
    { kind: "device", path: "./null" },
  ]);
});

test("what the system's tar writes in each of its formats is read", async () => {
  const folder = `${import.meta.dir}/..`;
  for (const format of ["v7", "ustar", "gnu", "pax"]) {
    const tar = Bun.spawnSync(["tar", `--format=${format}`, "-C", folder, "-cf", "-", "./oci/tar.test.ts"]);
    const [entry] = [...readTar(tar.stdout)];
    expect(entry?.path).toBe("./oci/tar.test.ts");
    expect(entry?.kind === "file" && textOf(entry.content)).toBe(await Bun.file(import.meta.path).text());
  }
});

test.each(["ustar", "pax", "gnu"] as const)("a long name written the %s way is read whole", (format) => {
  expect(namesOf(tarOf([{ path: longName, content: "x", format }]))).toEqual([longName]);
});

test.each(["pax", "gnu"] as const)(
  "names and targets too long for any header are read from %s extensions",
  (format) => {
    const archive = tarOf([{ path: veryLongName, type: "2", target: veryLongName, format }, { path: "next" }]);
    expect([...readTar(archive)]).toEqual([
      { kind: "symlink", path: veryLongName, target: veryLongName },
      { kind: "file", path: "next", mode: 0o644, content: new Uint8Array() },
    ]);
  },
);

test("a global pax header applies to every later entry that does not override it", () => {
  const archive = tarOf([
    { path: "pax_global_header", type: "g", content: paxRecord("path", "everywhere") },
    { path: "one" },
    { path: "two", records: { path: "mine" } },
    { path: "three", records: { path: "" } },
  ]);
  expect(namesOf(archive)).toEqual(["everywhere", "mine", "three"]);
});

test("a pax size overrides the header's", () => {
  const archive = tarOf([{ path: "a", content: "hello", claimedSize: 1, records: { size: "5" } }]);
  expect([...readTar(archive)]).toEqual([
    { kind: "file", path: "a", mode: 0o644, content: new TextEncoder().encode("hello") },
  ]);
});

test("an archive without its closing zero blocks is read, and what follows them is not", () => {
  const archive = tarOf([{ path: "a" }]);
  expect(namesOf(archive.subarray(0, 512))).toEqual(["a"]);
  expect(namesOf(concatBytes([archive, tarOf([{ path: "b" }])]))).toEqual(["a"]);
});

test("a v7 name that ends in a slash is a directory", () => {
  expect([...readTar(tarOf([{ path: "folder/", type: "\0", mode: 0o700 }]))]).toEqual([
    { kind: "directory", path: "folder/", mode: 0o700 },
  ]);
});

const archive = tarOf([{ path: "a", content: "hello" }]);
const flipped = Uint8Array.from(archive);
flipped[0] = 0x62;

test.each<[string, Uint8Array]>([
  ["nothing at all", new Uint8Array()],
  ["something else than a tar", new TextEncoder().encode("<html>".repeat(200))],
  ["a header with a wrong checksum", flipped],
  ["an archive cut inside a header", archive.subarray(0, 300)],
  ["an archive cut inside a file", archive.subarray(0, 514)],
  ["a file that claims more than there is", tarOf([{ path: "a", content: "x", claimedSize: 0o77777777777 }])],
  ["a symlink that brings content", tarOf([{ path: "a", type: "2", target: "b", content: "x" }])],
  ["an unknown type", tarOf([{ path: "a", type: "V" }])],
  ["a sparse file", tarOf([{ path: "a", type: "S" }])],
  ["a sparse file as pax records", tarOf([{ path: "a", records: { "GNU.sparse.major": "1" } }])],
  ["a NUL in a pax name", tarOf([{ path: "a", records: { path: "a\0b" } }])],
  ["a negative pax size", tarOf([{ path: "a", records: { size: "-1" } }])],
  ["a pax record with a wrong length", tarOf([{ path: "x", type: "x", content: "99 path=a\n" }, { path: "a" }])],
  ["a pax record without a newline", tarOf([{ path: "x", type: "x", content: "9 path=ab" }, { path: "a" }])],
  ["a name that is not UTF-8", tarOf([{ path: "x", type: "L", content: new Uint8Array([0xff, 0xfe]) }, { path: "a" }])],
])("%s is refused", (_, hostile) => {
  expect(() => [...readTar(hostile)]).toThrow(UserError);
});
