import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackLayer } from "../../src/store/unpack-layer.ts";
import type { TarMember } from "../fakes/registry-tar.ts";
import { tarOf } from "../fakes/registry-tar.ts";
import { describeAsRoot, inChunks, listTree, unpackInto, withFolder } from "../store/layer-scene.ts";

/** Unpacks beside a folder with a file, and gives what is then in and outside of the layer. */
function unpackBesideSecret(members: (outside: string) => TarMember[]) {
  return withFolder(async (root) => {
    const [outside, folder] = [join(root, "outside"), join(root, "layer")];
    for (const made of [outside, folder]) mkdirSync(made);
    writeFileSync(join(outside, "secret"), "secret");
    const before = listTree(outside);
    const failure = await unpackInto(folder, members(outside)).then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );
    expect(readdirSync(root).sort()).toEqual(["layer", "outside"]);
    expect(listTree(outside)).toEqual(before);
    return { failure, tree: listTree(folder) };
  });
}

describeAsRoot("of a hostile layer", () => {
  test.each<[string, (outside: string) => TarMember[], RegExp]>([
    ["a name", () => [{ path: "../outside/evil", content: "x" }], /it leads outside/],
    ["a name that comes back", () => [{ path: "a/../../outside/evil", content: "x" }], /it leads outside/],
    ["a directory", () => [{ path: "../outside", type: "5", mode: 0o777 }], /it leads outside/],
    ["a deletion", () => [{ path: "../outside/.wh.secret" }], /it leads outside/],
    ["a deletion of the parent", () => [{ path: "a/.wh..." }], /it deletes nothing that has a name/],
    ["a deletion of itself", () => [{ path: "a/.wh.." }], /it deletes nothing that has a name/],
    ["a deletion with something in it", () => [{ path: ".wh.a/b", content: "x" }], /it lies in a deletion mark/],
    ["the mark of a hiding directory", () => [{ path: "../outside/.wh..wh..opq" }], /it leads outside/],
    ["a hard link", () => [{ path: "link", type: "1", target: "../outside/secret" }], /it leads outside/],
    [
      "an absolute hard link",
      (outside) => [{ path: "link", type: "1", target: `${outside}/secret` }],
      /which is no earlier file of the layer/,
    ],
    [
      "a symlink",
      () => [
        { path: "link", type: "2", target: "../outside" },
        { path: "link/secret", content: "x" },
      ],
      /it lies behind "link", which is a symlink in the same layer/,
    ],
    [
      "an absolute symlink, to a directory",
      (outside) => [
        { path: "link", type: "2", target: outside },
        { path: "link/a/", type: "5" },
      ],
      /which is a symlink in the same layer/,
    ],
    [
      "a symlink, by a hard link below it",
      () => [
        { path: "link", type: "2", target: "../outside" },
        { path: "hard", type: "1", target: "link/secret" },
      ],
      /which is no earlier file of the layer/,
    ],
    [
      "a symlink, by a deletion below it",
      () => [{ path: "link", type: "2", target: "../outside" }, { path: "link/.wh.secret" }],
      /which is a symlink in the same layer/,
    ],
    [
      "a symlink in place of a directory",
      () => [
        { path: "a/b/", type: "5" },
        { path: "a", type: "2", target: "../outside" },
        { path: "a/b/secret", content: "x" },
      ],
      /which is a symlink in the same layer/,
    ],
    [
      "a file's parent",
      () => [
        { path: "a", content: "" },
        { path: "a/b", content: "" },
      ],
      /which is no directory in the same layer/,
    ],
  ])("nothing lands outside through %s", async (_, members, reason) => {
    expect((await unpackBesideSecret(members)).failure).toMatch(reason);
  });

  test("what comes later replaces a symlink instead of what that points to", async () => {
    const { failure, tree } = await unpackBesideSecret((outside) => [
      { path: "file", type: "2", target: `${outside}/secret` },
      { path: "file", content: "new", mode: 0o600 },
      { path: "folder", type: "2", target: outside },
      { path: "folder/", type: "5", mode: 0o700 },
      { path: "folder/secret", content: "new" },
      { path: "hiding", type: "2", target: outside },
      { path: "hiding/", type: "5" },
      { path: "hiding/.wh..wh..opq" },
      { path: "link", type: "2", target: `${outside}/secret`, mode: 0o777, uid: 7 },
      { path: "hard", type: "1", target: "link", mode: 0o777 },
    ]);
    expect(failure).toBeUndefined();
    expect(tree["file"]).toBe('file "new" 600 0:0 0');
    expect(tree["folder/secret"]).toBe('file "new" 644 0:0 0');
    expect(tree["hard"]).toMatch(/^symlink .*secret 777 7:0 0$/);
  });

  test("absolute names are names of its root", async () => {
    const { failure, tree } = await unpackBesideSecret(() => [{ path: "/etc/cooper-test", content: "x" }]);
    expect(failure).toBeUndefined();
    expect(Object.keys(tree)).toEqual([".", "etc", "etc/cooper-test"]);
  });

  test.each<[string, TarMember, RegExp]>([
    ["an unknown kind", { path: "x", type: "Z" }, /it has the unknown type "Z"/],
    ["a sparse file", { path: "x", type: "S" }, /it is a sparse file, which is not supported/],
    ["a link with content", { path: "x", type: "2", target: "y", content: "z" }, /it is a symlink and yet has content/],
    ["a symlink to nothing", { path: "x", type: "2" }, /it is a link to nothing/],
    ["a file without a name", { path: ".", content: "" }, /it has no name/],
    [
      "too long a name",
      { path: "x".repeat(300), format: "pax", content: "" },
      /its name is too long for this file system/,
    ],
    ["a uid that nobody can have", { path: "x", records: { uid: "4294967295" } }, /there is no such uid or gid/],
    ["a hard link to a deletion", { path: "x", type: "1", target: "gone" }, /which is no earlier file of the layer/],
    ["a hard link to a directory", { path: "x", type: "1", target: "folder" }, /which is no earlier file of the layer/],
    ["a hard link to itself", { path: "x", type: "1", target: "x" }, /which is no earlier file of the layer/],
  ])("%s is refused by name", async (_, member, reason) => {
    const before: TarMember[] = [{ path: ".wh.gone" }, { path: "folder/", type: "5" }];
    const { failure } = await unpackBesideSecret(() => [...before, member]);
    expect(failure).toMatch(/^The layer's entry ".*" cannot be unpacked: /);
    expect(failure).toMatch(reason);
  });

  test("others cannot enter what is left of a refused one", () =>
    withFolder(async (folder) => {
      const members: TarMember[] = [{ path: "sh", content: "x", mode: 0o4755 }, { path: "../x" }];
      await expect(unpackInto(folder, members)).rejects.toThrow("it leads outside");
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    }));

  test("after the first refusal no more of it is asked for", () =>
    withFolder(async (folder) => {
      let asked = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        for await (const chunk of inChunks(tarOf([{ path: "../x" }]))) yield chunk;
        for (; asked < 10_000; asked += 1) yield new Uint8Array(512);
      }
      const signal = new AbortController().signal;
      await expect(unpackLayer(endless(), { folder, what: "it", signal })).rejects.toThrow("it leads outside");
      expect(asked).toBeLessThan(10);
    }));

  test("a file of hundreds of megabytes that is little gzip does not fill the memory", () =>
    withFolder(async (folder) => {
      const size = 400 * 1024 ** 2;
      const program = join(import.meta.dir, "unpacking-process.ts");
      const child = Bun.spawn([process.execPath, program, folder, String(size)], { stdout: "pipe", stderr: "inherit" });
      const { read, grown } = JSON.parse(await child.stdout.text());
      expect(read).toBe(size + 512);
      expect(statSync(join(folder, "zeros")).size).toBe(size);
      expect(grown).toBeLessThan(150 * 1024 ** 2);
    }));
});
