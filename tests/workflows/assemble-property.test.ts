import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { openReadCapability } from "../../src/host/capability.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { maySetCapabilities, setCapability } from "../store/set-capability.ts";
import { assemble, contentOf, membersOf, withFolder } from "./assemble-scene.ts";

const readCapability = openReadCapability();
const keepingCapabilities = maySetCapabilities ? ["--xattrs", "--xattrs-include=security.capability"] : [];
const isRoot = process.getuid?.() === 0;

/** The same numbers for the same seed. */
function createDice(seed: number): (sides: number) => number {
  let state = seed * 2654435761 + 1;
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

const letters = ["a", "B", ".", "-", "_", " ", "ö", "日", "\u{1f600}", "'", '"', "\\", "*", "\n", "0"];
const sizes = [0, 1, 511, 512, 513, 4096, 70_000, 1024 * 1024 - 512, 1024 * 1024, 1_500_000];

/** A tree of any shape; what is in it depends on the seed only. */
function makeRandomTree(folder: string, seed: number): void {
  const dice = createDice(seed);
  const directories = [""];
  const files: string[] = [];
  const all: string[] = [];
  for (let count = 20 + dice(60); count > 0; count--) {
    const parent = directories[dice(directories.length)] ?? "";
    const length = 1 + (dice(10) === 0 ? dice(60) : dice(8));
    const drawn = Array.from({ length }, () => letters[dice(letters.length)]).join("");
    // A name alone may be longer than what the header has room for.
    const name = dice(12) === 0 ? `${drawn}${"l".repeat(140 + dice(60))}` : drawn;
    const path = parent === "" ? name : `${parent}/${name}`;
    if (name === "." || name === ".." || all.includes(path) || Buffer.byteLength(name) > 250) continue;
    const absolute = join(folder, path);
    const kind = dice(10);
    if (kind < 3) {
      mkdirSync(absolute);
      directories.push(path);
    } else if (kind === 3) symlinkSync(`${"../".repeat(dice(3))}${name}${"x".repeat(dice(2) * 120)}`, absolute);
    else if (kind === 4 && files.length > 0) linkSync(join(folder, files[dice(files.length)] ?? ""), absolute);
    else {
      writeFileSync(absolute, randomBytes(dice, sizes[dice(sizes.length)] ?? 0));
      // A hole at its end, which reads as zeros.
      if (dice(6) === 0) truncateSync(absolute, 2_000_000 + dice(600));
      files.push(path);
    }
    all.push(path);
  }
  const modes = [0o644, 0o600, 0o755, 0o4755, 0o2755, 0o1777, 0o444, 0o666];
  for (const path of all.reverse()) {
    const stats = lstatSync(join(folder, path));
    if (isRoot && dice(3) === 0 && !stats.isSymbolicLink()) chownSync(join(folder, path), dice(5000), dice(3_000_000));
    if (!stats.isSymbolicLink())
      chmodSync(join(folder, path), (modes[dice(modes.length)] ?? 0) | (stats.isDirectory() ? 0o700 : 0o400));
    // After the owner, whose change takes it away.
    if (maySetCapabilities && stats.isFile() && dice(4) === 0) setCapability(join(folder, path), dice(30));
    const time = dice(1_600_000_000);
    lutimesSync(join(folder, path), time, time);
  }
}

function randomBytes(dice: (sides: number) => number, size: number): Uint8Array {
  const block = Uint8Array.from({ length: 997 }, () => dice(256));
  return Uint8Array.from({ length: size }, (_, index) => (index % 5 === 0 ? (block[index % 997] ?? 0) : 0x20));
}

/** Without following symlinks. */
function listPaths(folder: string, directory: string): string[] {
  return readdirSync(join(folder, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    return entry.isDirectory() ? [path, ...listPaths(folder, path)] : [path];
  });
}

/** Everything about a tree that an image keeps. */
function describeTree(folder: string): string[] {
  const inodes = new Map<number, string>();
  return listPaths(folder, "")
    .sort()
    .map((path) => {
      const absolute = join(folder, path);
      const stats = lstatSync(absolute);
      const first = inodes.get(stats.ino);
      inodes.set(stats.ino, first ?? path);
      const content = stats.isSymbolicLink()
        ? readlinkSync(absolute)
        : stats.isFile()
          ? `${sha256Of(readFileSync(absolute))} ${stats.nlink > 1 ? first : ""}`
          : "";
      // What cannot be run has no use for one.
      const isProgram = stats.isFile() && (stats.mode & 0o111) !== 0;
      const capability = isProgram ? (readCapability(absolute)?.toHex() ?? "") : "";
      const owner = isRoot ? `${stats.uid}:${stats.gid}` : "";
      return `${JSON.stringify(path)} ${stats.mode.toString(8)} ${owner} ${stats.mtimeMs} ${capability} ${content}`;
    });
}

test.each(
  Array.from({ length: 12 }, (_, seed) => [seed, (["gzip", "zstd", "none"] as const)[seed % 3] ?? "gzip"] as const),
)(
  "random tree %i, compressed by %s, unpacked by the system's tar, is the tree that was assembled",
  (seed, compression) =>
    withFolder(async (folder) => {
      mkdirSync(join(folder, "tree"));
      makeRandomTree(join(folder, "tree"), seed);
      const argv = [
        "tree",
        "-o",
        "image.tar",
        "--chown",
        "keep",
        "--timestamps",
        "clamp",
        "--compression",
        compression,
      ];
      const image = await assemble(folder, argv, { SOURCE_DATE_EPOCH: "2000000000" });
      const layer = contentOf(membersOf(join(folder, "image.tar")), `blobs/sha256/${image.layers[0]?.digest.slice(7)}`);
      mkdirSync(join(folder, "unpacked"));
      const tar =
        compression === "gzip" ? gunzipSync(layer) : compression === "zstd" ? zstdDecompressSync(layer) : layer;
      const words = ["tar", ...keepingCapabilities, "--numeric-owner", "-xpf", "-", "-C", join(folder, "unpacked")];
      expect(Bun.spawnSync(words, { stdin: tar }).stderr.toString()).toBe("");
      expect(describeTree(join(folder, "unpacked"))).toEqual(describeTree(join(folder, "tree")));
    }),
);
