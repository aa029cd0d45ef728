import { expect, test } from "bun:test";
import { readTarAttributes } from "../../src/oci/tar-attributes.ts";
import { createTarStream } from "../../src/oci/tar-stream.ts";
import { type TarMember, tarOf } from "../fakes/registry-tar.ts";

function read(tar: Uint8Array, chunkSize = tar.length) {
  const found: { path: string; target: string; typeFlag: string; content: string }[] = [];
  const attributes: ReturnType<typeof readTarAttributes>[] = [];
  const stream = createTarStream({
    entry: (entry) => {
      const { path, target, typeFlag } = entry;
      found.push({ path, target, typeFlag, content: "" });
      attributes.push(readTarAttributes(entry));
    },
    content: (bytes) => {
      const last = found.at(-1);
      if (last !== undefined) last.content += Buffer.from(bytes).toString("latin1");
    },
  });
  for (let offset = 0; offset < tar.length; offset += chunkSize) stream.push(tar.subarray(offset, offset + chunkSize));
  return { found, attributes, ending: stream.end() };
}

function attributesOf(member: Partial<TarMember>, meddle: (tar: Uint8Array) => void = () => {}) {
  const tar = tarOf([{ path: "x", ...member }]);
  meddle(tar);
  return read(tar).attributes[0];
}

/** Writes bytes into the first header, and its sum anew. */
function put(tar: Uint8Array, bytes: readonly number[], offset: number): void {
  tar.set(bytes, offset);
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
}

test.each([1, 7, 511, 512, 513, 1000, 1024])("the entries are the same when %d bytes come at a time", (chunkSize) => {
  const long = "a/".repeat(60) + "ü".repeat(40);
  const members: TarMember[] = [
    { path: "empty", content: "" },
    { path: "block", content: "x".repeat(512) },
    { path: long, content: "pax", format: "pax" },
    { path: long, content: "y".repeat(1500), format: "gnu" },
    { path: "link", type: "2", target: long, format: "gnu" },
    { path: "folder/", type: "5" },
  ];
  const { found, ending } = read(tarOf(members), chunkSize);
  expect(ending).toBeUndefined();
  expect(found).toEqual(
    members.map(({ path, target = "", type = "0", content = "" }) => ({
      path,
      target,
      typeFlag: type,
      content: String(content),
    })),
  );
});

test("an entry's owner, time and device are those of its header", () => {
  const attributes = attributesOf({ type: "4", uid: 1000, gid: 100, modified: 1_700_000_000, device: [259, 3] });
  const modified = { seconds: 1_700_000_000, nanoseconds: 0 };
  expect(attributes).toEqual({ uid: 1000, gid: 100, modified, capability: undefined, major: 259, minor: 3 });
});

test("pax records say more than the header: large ids, parts of a second, times before 1970, capabilities", () => {
  const records = { uid: "4000000000", gid: "3000000000", mtime: "1700000000.123456789" };
  const large = attributesOf({ records: { ...records, "SCHILY.xattr.security.capability": "\u0001\0\0\u0002" } });
  expect(large).toMatchObject({
    uid: 4_000_000_000,
    gid: 3_000_000_000,
    modified: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
    capability: new Uint8Array([1, 0, 0, 2]),
  });
  const modified = (mtime: string) => attributesOf({ records: { mtime } })?.modified;
  expect(modified("1.5")).toEqual({ seconds: 1, nanoseconds: 500_000_000 });
  expect(modified("-1.25")).toEqual({ seconds: -2, nanoseconds: 750_000_000 });
  expect(modified("-3")).toEqual({ seconds: -3, nanoseconds: 0 });
  expect(modified("-0")).toEqual({ seconds: 0, nanoseconds: 0 });
  expect(modified("5.1234567891")).toEqual({ seconds: 5, nanoseconds: 123_456_789 });
  expect(modified("")).toEqual({ seconds: 0, nanoseconds: 0 });
});

test("GNU's binary numbers are read, a time before 1970 too", () => {
  const uid = attributesOf({}, (tar) => put(tar, [0x80, 0, 0, 0, 0xee, 0x6b, 0x28, 0], 108))?.uid;
  expect(uid).toBe(4_000_000_000);
  const negative = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x00];
  expect(attributesOf({}, (tar) => put(tar, negative, 136))?.modified.seconds).toBe(-512);
});

test.each([
  ["a pax uid", { uid: "root" }, "a pax uid or gid is not a number"],
  ["a pax mtime", { mtime: "yesterday" }, "a pax mtime is not a number"],
  ["a pax size", { size: "-5" }, "a pax size is not a number"],
  ["a sparse file", { "GNU.sparse.major": "1" }, "a sparse file, which is not supported"],
])("%s that means nothing is refused", (_, records, message) => {
  expect(() => attributesOf({ records })).toThrow(message);
});

test("what is missing at the end is told from what is only untidy", () => {
  const tar = tarOf([{ path: "x", content: "x".repeat(600) }]);
  expect(read(tar.subarray(0, 700)).ending?.isCut).toBe(true);
  expect(read(tar.subarray(0, 300)).ending?.isCut).toBe(true);
  expect(read(tar.subarray(0, 1536)).ending).toEqual({
    problem: "it ends without the two zero blocks of a tar",
    isCut: false,
  });
});
