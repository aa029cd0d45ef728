import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { setAttribute } from "../../src/host/extended-attributes.ts";
import { hexOf, parseDigest } from "../../src/oci/digest.ts";
import { readTar } from "../../src/oci/tar.ts";
import { removeTree } from "../../src/store/remove-tree.ts";
import { unpackLayer } from "../../src/store/unpack-layer.ts";
import { listTree, packed, unpackInto } from "../store/layer-scene.ts";
import { runInUserNamespace } from "../store/user-namespace.ts";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, describeEngine, runCooper, type TestEngine } from "./engines.ts";
import { openScene } from "./workspace.ts";

const scene = openScene();
const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const skipped = isRoot ? "" : " (skipped: only root on Linux may give files away and mount)";

function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** Calls `use` with a folder on a file system that overlays can be on; whatever is mounted at `merged` there ends with it. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync("/var/tmp/cooper-overlay-");
  try {
    await use(folder);
  } finally {
    Bun.spawnSync(["umount", join(folder, "merged")]);
    removeTree(folder);
  }
}

/** Unpacks an image's layers into folders, the topmost first, each with the diff id that the config says. */
async function unpackImage(engine: TestEngine, folder: string): Promise<string[]> {
  const save = join(folder, "save");
  mkdirSync(save);
  await runEngine(engine, ["save", "-o", `${save}.tar`, BASE_IMAGE]);
  run("tar", "-xf", `${save}.tar`, "-C", save);
  const [manifest] = v.parse(
    v.tuple([v.object({ Config: v.string(), Layers: v.array(v.string()) })]),
    JSON.parse(readFileSync(join(save, "manifest.json"), "utf8")),
  );
  const config = v.object({ rootfs: v.object({ diff_ids: v.array(v.string()) }) });
  const { rootfs } = v.parse(config, JSON.parse(readFileSync(join(save, manifest.Config), "utf8")));
  const layers: string[] = [];
  for (const [index, name] of manifest.Layers.entries()) {
    const layer = join(folder, hexOf(parseDigest(rootfs.diff_ids[index] ?? "")));
    mkdirSync(layer);
    const options = { folder: layer, what: name, signal: new AbortController().signal };
    const { diffId } = await unpackLayer(Bun.file(join(save, name)).stream(), options);
    expect<string | undefined>(diffId).toBe(rootfs.diff_ids[index]);
    layers.unshift(layer);
  }
  return layers;
}

function mountOverlay(folder: string, layers: readonly string[]): string {
  for (const made of ["upper", "work", "merged"]) mkdirSync(join(folder, made));
  const places = `lowerdir=${layers.join(":")},upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
  run("mount", "-t", "overlay", "-o", `userxattr,${places}`, "none", join(folder, "merged"));
  return join(folder, "merged");
}

/** What an engine shows of an image, without what it puts there itself. */
async function exportedTree(engine: TestEngine, { image, folder }: { image: string; folder: string }) {
  const place = join(folder, "exported");
  mkdirSync(place);
  const container = (await runEngine(engine, ["create", image, "true"])).trim();
  try {
    await runEngine(engine, ["export", "-o", `${place}.tar`, container]);
  } finally {
    await runEngine(engine, ["rm", container]);
  }
  run("tar", "-xpf", `${place}.tar`, "-C", place, "--numeric-owner", "--xattrs", "--xattrs-include=security.*");
  return comparable(listTree(place));
}

const engineOwn =
  /^(\.|\.dockerenv|etc|dev|run|proc|sys|etc\/(hostname|hosts|resolv\.conf|mtab)|(dev|proc|sys|run)\/.*)$/;

function comparable(tree: Record<string, string>, { times = true } = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([path]) => !engineOwn.test(path))
      .map(([path, shown]) => [path, times ? shown : shown.replace(/ [\d.]+( security|$)/, "$1")]),
  );
}

/** All that an overlay marks: what is gone, replaced, hidden, renamed, linked, changed and new. */
function changeEverything(root: string): void {
  const at = (path: string) => join(root, path);
  rmSync(at("etc/debian_version"));
  rmSync(at("usr/share/doc"), { recursive: true });
  mkdirSync(at("usr/share/doc"));
  writeFileSync(at("usr/share/doc/new"), "new");
  rmSync(at("var/cache"), { recursive: true });
  rmSync(at("etc/issue"));
  mkdirSync(at("etc/issue/folder"), { recursive: true });
  rmSync(at("srv"), { recursive: true });
  writeFileSync(at("srv"), "a file");
  renameSync(at("etc/shells"), at("etc/renamed"));
  linkSync(at("etc/group"), at("etc/group-linked"));
  chmodSync(at("home"), 0o2770);
  mkdirSync(at("opt/füße/tief"), { recursive: true });
  writeFileSync(at("opt/füße/tief/x"), "x".repeat(5_000_000));
  chownSync(at("opt/füße/tief/x"), 3_000_000_000, 12);
  symlinkSync("/nowhere", at("opt/link"));
  writeFileSync(at("opt/capable"), "x", { mode: 0o755 });
  const value = Buffer.from("0100000200200000000000000000000000000000", "hex");
  setAttribute(at("opt/capable"), { name: "security.capability", value });
}

for (const name of ["docker", "podman"] as const) {
  describeEngine(name, (engine) => {
    test.skipIf(!isRoot)(`a base image is unpacked as the engine unpacks it${skipped}`, () =>
      inFolder(async (folder) => {
        const merged = mountOverlay(folder, await unpackImage(engine, folder));
        const exported = await exportedTree(engine, { image: BASE_IMAGE, folder });
        expect(Object.keys(exported).length).toBeGreaterThan(2000);
        expect(comparable(listTree(merged))).toEqual(exported);
      }),
    );

    test.skipIf(!isRoot)(`what was changed in a kernel's overlay is changed for the engine${skipped}`, () =>
      inFolder(async (folder) => {
        const lowers = await unpackImage(engine, folder);
        const merged = mountOverlay(folder, lowers);
        const started = Date.now();
        changeEverything(merged);
        const { bytes, isEmpty } = await packed(join(folder, "upper"), { lowers, started, epoch: 1_600_000_000 });
        expect(isEmpty).toBe(false);
        writeFileSync(join(folder, "layer.tar"), bytes);
        const image = scene.imageName(engine, "overlay");
        const words = ["image", "append", `engine:${BASE_IMAGE}`, join(folder, "layer.tar"), "--load", "--tag", image];
        expect(await runCooper(words, { engine })).toMatchObject({ exitCode: 0 });
        const exported = await exportedTree(engine, { image, folder });
        expect(exported["opt/link"]).toBe("symlink /nowhere 777 0:0 1600000000");
        expect(exported["var/cache/apt"]).toBeUndefined();
        expect(comparable(exported, { times: false })).toEqual(comparable(listTree(merged), { times: false }));
      }),
    );
  });
}

const fuse = Bun.which("fuse-overlayfs");
const kinds = ["kernel", "fuse-overlayfs"] as const;

function mountKind(
  kind: (typeof kinds)[number],
  { folder, lowers }: { folder: string; lowers: readonly string[] },
): string {
  if (kind === "kernel") return mountOverlay(folder, lowers);
  const [upper, work, merged] = [join(folder, "upper"), join(folder, "work"), join(folder, "merged")];
  for (const made of [upper, work, merged]) mkdirSync(made);
  run(fuse ?? "", "-o", `lowerdir=${lowers.join(":")},upperdir=${upper},workdir=${work}`, merged);
  return merged;
}

/** A small root file system, old and the same in every run. */
function makeLower(lower: string): string {
  for (const path of ["etc", "usr/share/doc/old", "var/cache/apt", "srv", "home", "opt"]) {
    mkdirSync(join(lower, path), { recursive: true });
  }
  for (const file of ["debian_version", "issue", "shells", "group"]) writeFileSync(join(lower, "etc", file), file);
  run("find", lower, "-exec", "touch", "-h", "-d", "@1500000000", "{}", "+");
  return lower;
}

describe.skipIf(!isRoot || fuse === null)(
  `overlays${fuse === null ? " (skipped: no fuse-overlayfs)" : skipped}`,
  () => {
    test("the kernel's overlay and fuse-overlayfs give the same layer", async () => {
      const layers: (readonly string[])[] = [];
      for (const kind of kinds) {
        await inFolder(async (folder) => {
          const lower = makeLower(join(folder, "lower"));
          const merged = mountKind(kind, { folder, lowers: [lower] });
          const started = Date.now();
          changeEverything(merged);
          run("umount", merged);
          const { bytes } = await packed(join(folder, "upper"), { lowers: [lower], started, epoch: 1_600_000_000 });
          writeFileSync(join(folder, "layer.tar"), bytes);
          // A directory that was copied up has the time of that with fuse-overlayfs.
          const listed = run("tar", "-tvf", join(folder, "layer.tar"), "--numeric-owner", "--full-time");
          layers.push(listed.replace(/ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "").split("\n"));
        });
      }
      expect(layers[0]).toContain("-rw------- 0/0               0 etc/.wh.debian_version");
      expect(layers[1]).toEqual([...(layers[0] ?? [])]);
    });

    test.each(kinds)("a layer that is unpacked shows in the overlay of %s what it was packed from", (kind) =>
      inFolder(async (folder) => {
        const lower = makeLower(join(folder, "lower"));
        const merged = mountKind(kind, { folder, lowers: [lower] });
        changeEverything(merged);
        const before = comparable(listTree(merged), { times: false });
        run("umount", merged);
        const { bytes } = await packed(join(folder, "upper"), { lowers: [lower] });
        const [layer, next] = [join(folder, "layer"), join(folder, "next")];
        for (const made of [layer, next]) mkdirSync(made);
        await unpackInto(layer, bytes);
        const again = mountKind(kind, { folder: next, lowers: [layer, lower] });
        try {
          expect(comparable(listTree(again), { times: false })).toEqual(before);
          // What is changed in a directory that hides what is below hides nothing of that directory.
          writeFileSync(join(again, "usr/share/doc/added"), "");
        } finally {
          run("umount", again);
        }
        const change = await packed(join(next, "upper"), { lowers: [layer, lower] });
        const names = [...readTar(change.bytes)].map(({ path }) => path);
        expect(names).toEqual(["usr/", "usr/share/", "usr/share/doc/", "usr/share/doc/added"]);
      }),
    );
  },
);

/** What a user's own overlay shows of two layers and a change, and the names in the layer of that change. */
const namespaceScript = `
  import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
  import { packed, unpackInto } from "${join(import.meta.dir, "../store/layer-scene.ts")}";
  import { readTar } from "${join(import.meta.dir, "../../src/oci/tar.ts")}";
  import { removeTree } from "${join(import.meta.dir, "../../src/store/remove-tree.ts")}";
  const [folder] = process.argv.slice(-1);
  process.chdir(folder);
  for (const made of ["below", "above", "upper", "work", "merged"]) mkdirSync(made);
  await unpackInto("below", [{ path: "gone", uid: 5 }, { path: "hides/old" }, { path: "kept/a" }, { path: "kept/b" }]);
  await unpackInto("above", [{ path: ".wh.gone" }, { path: "hides/new", uid: 60000 }, { path: "hides/.wh..wh..opq" }]);
  const options = "userxattr,lowerdir=above:below,upperdir=upper,workdir=work";
  const mounted = Bun.spawnSync(["mount", "-t", "overlay", "-o", options, "none", "merged"]);
  if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
  const shown = readdirSync("merged", { recursive: true }).sort();
  writeFileSync("merged/hides/added", "");
  rmSync("merged/kept", { recursive: true });
  mkdirSync("merged/kept");
  rmSync("merged/hides/new");
  Bun.spawnSync(["umount", "merged"]);
  const { bytes } = await packed("upper", { lowers: ["above", "below"] });
  removeTree("work");
  console.log(JSON.stringify({ shown, packed: [...readTar(bytes)].map(({ path }) => path), left: readdirSync(".").sort() }));
`;

test.skipIf(!isRoot)(
  `the overlay of a user namespace heeds an unpacked layer's marks, and its own are packed${skipped}`,
  () =>
    inFolder(async (folder) => {
      const command = ["unshare", "--mount", process.execPath, "-e", namespaceScript, folder];
      const ran = await runInUserNamespace(command, folder);
      expect(ran).toMatchObject({ kind: "ran", exitCode: 0 });
      expect(ran.kind === "ran" ? JSON.parse(ran.output) : ran).toEqual({
        shown: ["hides", "hides/new", "kept", "kept/a", "kept/b"],
        packed: ["hides/", "hides/.wh.new", "hides/added", "kept/", "kept/.wh..wh..opq"],
        left: ["above", "below", "merged", "upper"],
      });
    }),
);
