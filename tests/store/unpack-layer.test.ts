import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { sha256Of } from "../../src/oci/digest.ts";
import { unpackLayer } from "../../src/store/unpack-layer.ts";
import { concatBytes, type TarMember, tarOf } from "../fakes/registry-tar.ts";
import { describeAsRoot, inChunks, treeOf, unpackInto, withFolder } from "./layer-scene.ts";

const opaque = "user.overlay.opaque=79";

describeAsRoot("a layer's blob is unpacked", () => {
  test("with the kinds, modes, owners, times and links of its entries", async () => {
    const long = `${"d".repeat(120)}/${"ü".repeat(60)}`;
    const tree = await treeOf([
      { path: "./", type: "5", mode: 0o750, uid: 5, gid: 6, modified: 7 },
      { path: "bin", type: "2", target: "usr/bin", modified: 9 },
      { path: "usr/bin/", type: "5", mode: 0o1777, modified: 10 },
      { path: "usr/bin/sudo", content: "x", mode: 0o4755, uid: 1000, gid: 2000, modified: 11 },
      { path: "usr/bin/doas", type: "1", target: "usr/bin/sudo", mode: 0o4755 },
      { path: "usr/bin/link", type: "2", target: "/nowhere", uid: 3, gid: 4, modified: 12 },
      { path: "usr/bin/link2", type: "1", target: "usr/bin/link" },
      { path: "run/pipe", type: "6", mode: 0o622, modified: 13 },
      { path: "dev/disk", type: "4", device: [8, 1], mode: 0o660, gid: 6, modified: 14 },
      { path: "old/", content: "", mode: 0o700, modified: 15 },
      { path: long, content: "long", format: "pax", records: { mtime: "16.25" } },
      { path: `${long}2`, content: "long", format: "gnu", modified: 17 },
    ]);
    expect(tree).toEqual({
      ".": "directory 750 5:6 7",
      bin: "symlink usr/bin 777 0:0 9",
      usr: "directory 755 0:0 0",
      "usr/bin": "directory 1777 0:0 10",
      "usr/bin/doas": 'file "x" 4755 1000:2000 11',
      "usr/bin/sudo": "= usr/bin/doas 4755 1000:2000 11",
      "usr/bin/link": "symlink /nowhere 777 3:4 12",
      "usr/bin/link2": "symlink /nowhere 777 3:4 12",
      run: "directory 755 0:0 0",
      "run/pipe": "fifo 622 0:0 13",
      dev: "directory 755 0:0 0",
      "dev/disk": "block device 2049 660 0:6 14",
      old: "directory 700 0:0 15",
      ["d".repeat(120)]: "directory 755 0:0 0",
      [long]: 'file "long" 644 0:0 16.25',
      [`${long}2`]: 'file "long" 644 0:0 17',
    });
  });

  test("the digest and size of its tar are told, whether plain, gzip of one or several members, or zstd", async () => {
    const content = Array.from({ length: 30_000 }, (_, n) => n % 97).join("");
    const tar = tarOf([
      { path: "a", content },
      { path: "b/", type: "5" },
    ]);
    const half = tar.length / 2;
    const forms = [
      tar,
      Bun.gzipSync(tar),
      concatBytes([Bun.gzipSync(tar.slice(0, half)), Bun.gzipSync(tar.slice(half))]),
      new Uint8Array(Bun.zstdCompressSync(tar)),
    ];
    for (const form of forms) {
      await withFolder(async (folder) => {
        expect(await unpackInto(folder, form)).toEqual({ diffId: sha256Of(tar), size: tar.length });
        expect(await Bun.file(`${folder}/a`).text()).toBe(content);
      });
    }
  });

  test("deletions and hiding directories become overlayfs' marks", async () => {
    const tree = await treeOf([
      { path: "etc/.wh.gone", content: "" },
      { path: "etc/.wh.linked", type: "1", target: ".wh..wh.aufs" },
      { path: "etc/hides/.wh..wh..opq", content: "" },
      { path: "etc/hides/new", content: "" },
      { path: "etc/device", type: "3", device: [0, 0] },
      { path: ".wh..wh.plnk/12", content: "" },
    ]);
    expect(tree).toEqual({
      ".": "directory 755 0:0 0",
      etc: "directory 755 0:0 0",
      "etc/gone": "whiteout",
      "etc/linked": "whiteout",
      "etc/device": "whiteout",
      "etc/hides": `directory 755 0:0 0 ${opaque}`,
      "etc/hides/new": 'file "" 644 0:0 0',
    });
  });

  test("a deletion hides what is below, never what the layer itself has", async () => {
    const tree = await treeOf([
      { path: ".wh.file", content: "" },
      { path: "file", content: "new" },
      { path: "file2", content: "new" },
      { path: ".wh.file2", content: "" },
      { path: ".wh.folder", content: "" },
      { path: "folder/", type: "5" },
      { path: "folder2/new", content: "" },
      { path: ".wh.folder2", content: "" },
      { path: ".wh.folder3", content: "" },
      { path: "folder3/new", content: "" },
    ]);
    expect(tree).toMatchObject({
      file: 'file "new" 644 0:0 0',
      file2: 'file "new" 644 0:0 0',
      folder: `directory 755 0:0 0 ${opaque}`,
      folder2: `directory 755 0:0 0 ${opaque}`,
      folder3: `directory 755 0:0 0 ${opaque}`,
    });
  });

  test.each<[string, TarMember, string | undefined]>([
    ["a file", { path: "x", content: "later" }, 'file "later" 644 0:0 0'],
    ["a directory", { path: "x", type: "5" }, "directory 755 0:0 0"],
    ["a symlink", { path: "x", type: "2", target: "y" }, "symlink y 777 0:0 0"],
    ["a hard link", { path: "x", type: "1", target: "other" }, "= other 644 0:0 0"],
    ["a pipe", { path: "x", type: "6" }, "fifo 644 0:0 0"],
  ])("%s takes the place of whatever the layer had there before", async (_, later, expected) => {
    const earlier: TarMember[][] = [
      [{ path: "x", content: "earlier" }],
      [{ path: "x", type: "2", target: "other" }],
      [{ path: "x", type: "1", target: "other" }],
      [{ path: "x", type: "6" }],
      [{ path: "x", type: "5" }],
    ];
    for (const members of earlier) {
      const tree = await treeOf([{ path: "other", content: "other" }, ...members, later]);
      expect(tree).toEqual({ ".": "directory 755 0:0 0", other: 'file "other" 644 0:0 0', x: expected ?? "" });
    }
    const inside = [
      { path: "x/a/.wh.b", content: "" },
      { path: "x/a/c", content: "" },
    ];
    const replaced = await treeOf([
      { path: "other", content: "other" },
      ...inside,
      later,
      { path: "z/a/c", content: "" },
    ]);
    expect(Object.keys(replaced).filter((path) => path.startsWith("x/"))).toEqual(
      later.type === "5" ? ["x/a", "x/a/b", "x/a/c"] : [],
    );
  });

  test("a directory is made anew where a file had taken its place", async () => {
    const tree = await treeOf([
      { path: "x/old", content: "" },
      { path: "x", content: "file" },
      { path: "x", type: "5" },
      { path: "x/new", content: "" },
    ]);
    expect(Object.keys(tree)).toEqual([".", "x", "x/new"]);
  });

  test("a capability survives its file's owner and mode", async () => {
    const capability = "\u0001\0\0\u0002\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const records = { "SCHILY.xattr.security.capability": capability, "SCHILY.xattr.user.overlay.redirect": "/etc" };
    const tree = await treeOf([{ path: "ping", content: "x", mode: 0o755, uid: 1000, records }]);
    expect(tree["ping"]).toBe(`file "x" 755 1000:0 0 security.capability=${Buffer.from(capability).toString("hex")}`);
  });

  test("the overlay's own attributes are never taken from a layer", async () => {
    const records = { "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.trusted.overlay.redirect": "/etc" };
    expect(await treeOf([{ path: "x/", type: "5", records }])).toMatchObject({ x: "directory 755 0:0 0" });
  });

  test("a tar without an end is taken as engines take it, and one that is cut is not", async () => {
    const tar = tarOf([{ path: "x", content: "x" }]);
    expect(await treeOf(tar.slice(0, 1024))).toMatchObject({ x: 'file "x" 644 0:0 0' });
    expect(await treeOf(new Uint8Array())).toEqual({ ".": "directory 755 0:0 0" });
    await expect(treeOf(tar.slice(0, 800))).rejects.toThrow("the layer cannot be unpacked: it ends inside an entry.");
    await expect(treeOf(Bun.gzipSync(tar).slice(0, -9))).rejects.toThrow("its gzip stream is damaged");
    await expect(treeOf(new TextEncoder().encode("x".repeat(1024)))).rejects.toThrow("the layer cannot be unpacked: ");
  });

  test("a full disk is thrown as what it is", () =>
    withFolder(async (folder) => {
      expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]).exitCode).toBe(0);
      try {
        const layer = unpackInto(folder, [{ path: "x", content: new Uint8Array(3_000_000) }]);
        await expect(layer).rejects.toMatchObject({ code: "ENOSPC" });
      } finally {
        Bun.spawnSync(["umount", folder]);
      }
    }));

  test("a signal ends it, and what its bytes come from may fail", () =>
    withFolder(async (folder) => {
      const aborted = AbortSignal.abort(new Error("enough"));
      const tar = tarOf([{ path: "x", content: "x".repeat(50_000) }]);
      const options = { folder, what: "the layer", signal: aborted };
      await expect(unpackLayer(inChunks(tar), options)).rejects.toThrow("enough");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield tar.slice(0, 2000);
        throw Object.assign(new Error("connection lost"), { code: "ECONNRESET" });
      }
      const signal = new AbortController().signal;
      await expect(unpackLayer(failing(), { folder, what: "the layer", signal })).rejects.toThrow("connection lost");
      const open = readdirSync("/proc/self/fd").length;
      await expect(unpackLayer(failing(), { folder, what: "the layer", signal })).rejects.toThrow("connection lost");
      expect(readdirSync("/proc/self/fd").length).toBe(open);
    }));
});
