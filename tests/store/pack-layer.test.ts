import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setAttribute } from "../../src/host/extended-attributes.ts";
import { makeNode } from "../../src/host/make-node.ts";
import { setModified } from "../../src/host/set-modified.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { readTar } from "../../src/oci/tar.ts";
import { describeAsRoot, listTree, packed, unpackInto, withFolder } from "./layer-scene.ts";

const yes = new TextEncoder().encode("y");
const whiteout = { kind: "character-device", major: 0, minor: 0 } as const;

/** Makes a file and the directories that it is in. */
function put(folder: string, path: string, content = ""): string {
  const place = join(folder, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
}

function namesIn(bytes: Uint8Array): string[] {
  return [...readTar(bytes)].map(({ path }) => path);
}

/** What a layer shows when it is unpacked again. */
function unpackedAgain(bytes: Uint8Array) {
  return withFolder(async (folder) => {
    await unpackInto(folder, bytes);
    return listTree(folder);
  });
}

describeAsRoot("an overlay's upper directory is packed", () => {
  test("with deletions before what is there, and hiding directories marked right after themselves", () =>
    withFolder(async (folder) => {
      put(folder, "upper/a/x");
      put(folder, "upper/a/hides/new");
      makeNode(join(folder, "upper/a/gone"), whiteout);
      makeNode(join(folder, "upper/a/also"), whiteout);
      makeNode(join(folder, "upper/zzz"), whiteout);
      setAttribute(join(folder, "upper/a/hides"), { name: "user.overlay.opaque", value: yes });
      mkdirSync(join(folder, "lower/a/hides"), { recursive: true });
      const { bytes, layer, isEmpty } = await packed(join(folder, "upper"), { lowers: [join(folder, "lower")] });
      expect(namesIn(bytes)).toEqual([
        ".wh.zzz",
        "a/",
        "a/.wh.also",
        "a/.wh.gone",
        "a/hides/",
        "a/hides/.wh..wh..opq",
        "a/hides/new",
        "a/x",
      ]);
      expect(isEmpty).toBe(false);
      expect<string>(layer.diffId).toBe(sha256Of(bytes));
    }));

  test("the same whether the kernel or fuse-overlayfs made the marks, and however the directory is marked", () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, "lower/d"), { recursive: true });
      const attributes = ["user.overlay.opaque", "trusted.overlay.opaque", undefined];
      const digests: string[] = [];
      for (const [index, name] of attributes.entries()) {
        const upper = join(folder, `upper${index}`);
        put(upper, "d/file");
        put(upper, "d/z");
        if (name === undefined) {
          put(upper, "d/.wh..wh..opq");
          // fuse-overlayfs 1.10 leaves that too.
          makeNode(join(upper, "d/.wh..opq"), whiteout);
          put(upper, "d/.wh.hidden");
        } else {
          setAttribute(join(upper, "d"), { name, value: yes });
          makeNode(join(upper, "d/hidden"), whiteout);
        }
        const { layer } = await packed(upper, { started: 0, lowers: [join(folder, "lower")] });
        digests.push(layer.diffId);
      }
      expect(new Set(digests).size).toBe(1);
    }));

  test("a new directory, which the kernel marks as well, hides nothing and has no mark in the layer", () =>
    withFolder(async (folder) => {
      put(folder, "upper/new/file");
      setAttribute(join(folder, "upper/new"), { name: "user.overlay.opaque", value: yes });
      put(folder, "lower/new", "a file");
      const { bytes } = await packed(join(folder, "upper"), { lowers: [join(folder, "lower"), join(folder, "none")] });
      expect(namesIn(bytes)).toEqual(["new/", "new/file"]);
    }));

  test("a directory that may hold other marks, or was copied with fuse-overlayfs' own, does not hide what is below", () =>
    withFolder(async (folder) => {
      put(folder, "upper/d/file");
      setAttribute(join(folder, "upper/d"), { name: "user.overlay.opaque", value: new TextEncoder().encode("x") });
      setAttribute(join(folder, "upper/d"), { name: "user.fuseoverlayfs.opaque", value: yes });
      const { bytes } = await packed(join(folder, "upper"), { lowers: [join(folder, "upper")] });
      expect(namesIn(bytes)).toEqual(["d/", "d/file"]);
    }));

  test("what was made since the start is of the epoch, what is older keeps its time", () =>
    withFolder(async (folder) => {
      const times = { old: 1_600_000_000, early: -5, late: 1_700_000_001, future: 4_000_000_000 };
      for (const [name, time] of Object.entries(times))
        setModified(put(folder, name), { seconds: time, nanoseconds: 0 });
      symlinkSync("x", join(folder, "link"));
      lutimesSync(join(folder, "link"), times.late, times.late);
      linkSync(join(folder, "late"), join(folder, "hard"));
      const { bytes } = await packed(folder, { started: 1_700_000_000_000, epoch: 1_650_000_000 });
      const tree = await unpackedAgain(bytes);
      const found = Object.fromEntries(
        Object.entries(tree).map(([path, shown]) => [path, Number(shown.split(" ").pop())]),
      );
      const epoch = 1_650_000_000;
      expect(found).toEqual({ ".": 0, old: times.old, early: 0, late: epoch, future: epoch, link: epoch, hard: epoch });
    }));

  test("what was written at the very moment of the start counts as written since", () =>
    withFolder(async (folder) => {
      const started = Date.now();
      put(folder, "x");
      const { bytes } = await packed(folder, { started, epoch: 7 });
      expect((await unpackedAgain(bytes))["x"]).toBe('file "" 644 0:0 7');
    }));

  test("two runs that write the same at other times are the same layer", () =>
    withFolder(async (folder) => {
      const digests: string[] = [];
      for (const [run, names] of [
        ["a", "b", "c"],
        ["c", "b", "a"],
      ].entries()) {
        const started = Date.now();
        for (const name of names) put(folder, `${run}/folder/${name}`, name);
        const { layer } = await packed(join(folder, String(run)), { started });
        digests.push(layer.diffId);
        await Bun.sleep(1100);
      }
      expect(digests[0]).toBe(digests[1] ?? "");
    }));

  test("owners, modes, links, capabilities and pipes are kept, the overlay's own attributes are not", () =>
    withFolder(async (folder) => {
      chownSync(put(folder, "bin/ping", "x"), 1000, 100);
      chmodSync(join(folder, "bin/ping"), 0o6755);
      const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
      setAttribute(join(folder, "bin/ping"), { name: "security.capability", value: capability });
      setAttribute(join(folder, "bin/ping"), { name: "user.overlay.origin", value: yes });
      linkSync(join(folder, "bin/ping"), join(folder, "bin/ping6"));
      setAttribute(join(folder, "bin"), { name: "user.overlay.impure", value: yes });
      chownSync(join(folder, "bin"), 4_000_000_000, 5);
      makeNode(join(folder, "pipe"), { kind: "fifo" });
      const { bytes } = await packed(folder, { started: 0 });
      expect(await unpackedAgain(bytes)).toEqual({
        ".": "directory 755 0:0 0",
        bin: "directory 755 4000000000:5 1000",
        "bin/ping": `file "x" 6755 1000:100 1000 security.capability=${capability.toString("hex")}`,
        "bin/ping6": `= bin/ping 6755 1000:100 1000 security.capability=${capability.toString("hex")}`,
        pipe: "fifo 600 0:0 1000",
      });
    }));

  test("mount points are left out, with the directories that are there for them alone", () =>
    withFolder(async (folder) => {
      for (const path of ["etc/resolv.conf", "proc/1/status", "run/secrets/a/token", "dev/null", "opt/x"])
        put(folder, path);
      const leaveOut = new Set(["etc/resolv.conf", "proc", "run/secrets/a", "dev/null"]);
      const leaveOutEmpty = new Set(["run/secrets", "run", "dev", "opt"]);
      const { bytes, isEmpty } = await packed(folder, { leaveOut, leaveOutEmpty });
      expect(namesIn(bytes)).toEqual(["etc/", "opt/", "opt/x"]);
      expect(isEmpty).toBe(false);
      leaveOut.add("opt");
      leaveOutEmpty.add("etc");
      expect(await packed(folder, { leaveOut, leaveOutEmpty })).toMatchObject({ isEmpty: true });
    }));

  test("a directory that hides what is below is there for more than a mount point", () =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, "upper/d"), { recursive: true });
      setAttribute(join(folder, "upper/d"), { name: "user.overlay.opaque", value: yes });
      mkdirSync(join(folder, "lower/d"), { recursive: true });
      const { bytes } = await packed(join(folder, "upper"), {
        leaveOutEmpty: new Set(["d"]),
        lowers: [join(folder, "lower")],
      });
      expect(namesIn(bytes)).toEqual(["d/", "d/.wh..wh..opq"]);
    }));

  test("the other name of a file that is left out holds its content", () =>
    withFolder(async (folder) => {
      linkSync(put(folder, "a", "content"), join(folder, "b"));
      const { bytes } = await packed(folder, { leaveOut: new Set(["a"]), started: 0 });
      expect(await unpackedAgain(bytes)).toMatchObject({ b: 'file "content" 644 0:0 1000' });
    }));

  test("sockets are left out and named", () =>
    withFolder(async (folder) => {
      put(folder, "run/x");
      const server = createServer().listen(join(folder, "run/socket"));
      try {
        await new Promise((resolve) => server.once("listening", resolve));
        const { bytes, sockets } = await packed(folder);
        expect(sockets).toEqual(["run/socket"]);
        expect(namesIn(bytes)).toEqual(["run/", "run/x"]);
      } finally {
        server.close();
      }
    }));

  test("an empty one is told to be that", () =>
    withFolder(async (folder) => {
      const { isEmpty, bytes } = await packed(folder);
      expect([isEmpty, bytes.length]).toEqual([true, 1024]);
    }));

  test.each([
    [
      "a device",
      (folder: string) => makeNode(join(folder, "disk"), { kind: "block-device", major: 8, minor: 1 }),
      /disk cannot be in an image: it is a device/,
    ],
    [
      "another character device than the mark",
      (folder: string) => makeNode(join(folder, "null"), { kind: "character-device", major: 1, minor: 3 }),
      /null cannot be in an image: it is a device/,
    ],
    [
      "a file whose name would be a deletion",
      (folder: string) => void put(folder, ".wh.x", "content"),
      /names that start with "\.wh\." mean a deletion/,
    ],
    [
      "a directory that was renamed and is elsewhere",
      (folder: string) => {
        mkdirSync(join(folder, "d"));
        setAttribute(join(folder, "d"), { name: "user.overlay.redirect", value: yes });
      },
      /it was renamed and has user\.overlay\.redirect instead of its content/,
    ],
  ])("%s is refused by name", (_, make, message) =>
    withFolder(async (folder) => {
      make(folder);
      await expect(packed(folder)).rejects.toThrow(message);
    }),
  );

  test("no file stays open, whatever comes of it", () =>
    withFolder(async (folder) => {
      put(folder, "a/b", "x".repeat(3_000_000));
      makeNode(join(folder, "a/c"), { kind: "character-device", major: 1, minor: 3 });
      const open = readdirSync("/proc/self/fd").length;
      await expect(packed(folder)).rejects.toThrow("it is a device");
      expect(readdirSync("/proc/self/fd").length).toBe(open);
    }));

  test("another tar reader finds the same in it", () =>
    withFolder(async (folder) => {
      put(folder, `up/${"ü".repeat(90)}`, "x");
      makeNode(join(folder, "up/gone"), whiteout);
      const { bytes } = await packed(join(folder, "up"));
      writeFileSync(join(folder, "layer.tar"), bytes);
      const { stdout } = spawnSync("tar", ["--quoting-style=literal", "-tf", join(folder, "layer.tar")]);
      expect(stdout.toString()).toBe(`.wh.gone\n${"ü".repeat(90)}\n`);
    }));
});
