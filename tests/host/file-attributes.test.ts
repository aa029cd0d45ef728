import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getAttribute, listAttributes, setAttribute } from "../../src/host/extended-attributes.ts";
import { makeNode } from "../../src/host/make-node.ts";
import { setModified } from "../../src/host/set-modified.ts";

// A tmpfs, as /tmp may be, has no user attributes on older kernels.
let folder = "";
beforeEach(() => {
  folder = mkdtempSync("/var/tmp/cooper-attributes-");
  writeFileSync(join(folder, "file"), "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const onLinux = test.skipIf(process.platform !== "linux");
const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? test : (name: string, body: () => void) => test.skip(`${name} (skipped: only root may)`, body);

onLinux("an attribute is what was set, however long and whatever bytes it holds", () => {
  const file = join(folder, "file");
  expect(listAttributes(file)).toEqual([]);
  expect(getAttribute(file, "user.none")).toBeUndefined();
  const long = new Uint8Array(1000).map((_, index) => index);
  setAttribute(file, { name: "user.long", value: long });
  setAttribute(file, { name: "user.short", value: new Uint8Array([0]) });
  setAttribute(file, { name: "user.empty", value: new Uint8Array() });
  expect(getAttribute(file, "user.long")).toEqual(long);
  expect(getAttribute(file, "user.short")).toEqual(new Uint8Array([0]));
  expect(getAttribute(file, "user.empty")).toEqual(new Uint8Array());
  expect(listAttributes(file).sort()).toEqual(["user.empty", "user.long", "user.short"]);
});

onLinux("what the system refuses is thrown with errno's name and the path", () => {
  const gone = join(folder, "gone");
  const name = "user.x";
  const failures: (() => unknown)[] = [
    () => getAttribute(gone, name),
    () => setAttribute(gone, { name, value: new Uint8Array() }),
    () => listAttributes(gone),
    () => setModified(gone, { seconds: 0, nanoseconds: 0 }),
    () => makeNode(join(gone, "x"), { kind: "fifo" }),
  ];
  for (const failure of failures) expect(failure).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(() => makeNode(join(folder, "file"), { kind: "fifo" })).toThrow(
    expect.objectContaining({ code: "EEXIST", syscall: "mknod", path: join(folder, "file") }),
  );
});

onLinux("a time is set to the nanosecond, before 1970 too, and of a symlink itself", () => {
  const timeOf = (name: string) => lstatSync(join(folder, name), { bigint: true }).mtimeNs;
  setModified(join(folder, "file"), { seconds: 1_700_000_000, nanoseconds: 123_456_789 });
  expect(timeOf("file")).toBe(1_700_000_000_123_456_789n);
  symlinkSync("file", join(folder, "link"));
  setModified(join(folder, "link"), { seconds: -2, nanoseconds: 5 });
  expect([timeOf("link"), timeOf("file")]).toEqual([-1_999_999_995n, 1_700_000_000_123_456_789n]);
});

onLinux("a named pipe and a deletion mark are made", () => {
  makeNode(join(folder, "pipe"), { kind: "fifo" });
  expect(lstatSync(join(folder, "pipe")).isFIFO()).toBe(true);
  makeNode(join(folder, "mark"), { kind: "character-device", major: 0, minor: 0 });
  const stats = lstatSync(join(folder, "mark"));
  expect([stats.isCharacterDevice(), stats.rdev]).toEqual([true, 0]);
});

asRoot("a device has the numbers that it was given, large ones too", () => {
  makeNode(join(folder, "disk"), { kind: "block-device", major: 259, minor: 70_000 });
  const { stdout } = Bun.spawnSync(["stat", "-c", "%F %t %T", join(folder, "disk")]);
  expect(stdout.toString()).toBe("block special file 103 11170\n");
});
