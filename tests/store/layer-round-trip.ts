import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { removeTree } from "../../src/store/remove-tree.ts";
import type { TarMember } from "../fakes/registry-tar.ts";
import { listTree, packed, unpackInto } from "./layer-scene.ts";

/**
 * Unpacks random layers, packs what came of them and unpacks that again, in a folder that exists; throws when anything
 * differs. Also a program: FOLDER FIRST-SEED COUNT.
 */
export async function checkRoundTrips(folder: string, seeds: { first: number; count: number }): Promise<void> {
  let entries = 0;
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed += 1) {
    const [once, twice] = [join(folder, "once"), join(folder, "twice")];
    for (const made of [once, twice]) mkdirSync(made);
    await unpackInto(once, randomMembers(seed));
    // That every directory is below as well keeps each one's mark.
    const first = await packed(once, { lowers: [once] });
    await unpackInto(twice, first.bytes);
    const second = await packed(twice, { lowers: [twice] });
    const [before, after] = [listTree(once), listTree(twice)];
    for (const tree of [before, after]) delete tree["."];
    entries += Object.keys(before).length;
    for (const path of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (isDeepStrictEqual(before[path], after[path])) continue;
      throw new Error(`seed ${seed}: ${path} was ${before[path]} and is ${after[path]}`);
    }
    if (first.layer.diffId !== second.layer.diffId) throw new Error(`seed ${seed}: the layer is another one`);
    for (const made of [once, twice]) removeTree(made);
  }
  if (entries < 15 * seeds.count) throw new Error(`there is next to nothing in the layers: ${entries} entries`);
}

const names = ["a", "b", "ü", "c d", "n".repeat(120), ".hidden", "UPPER", "e\nf"];
const kinds = [
  "file",
  "file",
  "file",
  "file",
  "directory",
  "directory",
  "symlink",
  "hardlink",
  "fifo",
  "gone",
  "opaque",
] as const;
const capability = "\u0001\0\0\u0002\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

type Random = (below: number) => number;
type Present = Map<string, (typeof kinds)[number]>;

/** The members of a layer in which paths come twice, parents are missing and marks are anywhere. */
function randomMembers(seed: number): TarMember[] {
  const random = randomNumbers(seed);
  const present: Present = new Map([["", "directory"]]);
  return Array.from({ length: 60 }, () => randomMember(random, present));
}

function randomMember(random: Random, present: Present): TarMember {
  const having = (kind: "file" | "directory") => [...present].filter(([, has]) => has === kind).map(([path]) => path);
  const parent = pick(random, having("directory"));
  const start = parent === "" || parent.length > 1000 ? "" : `${parent}/`;
  const name = pick(random, names);
  const path = start + name;
  const kind = kinds[random(kinds.length)] ?? "file";
  const others = having("file").filter((has) => has !== path && !has.startsWith(`${path}/`));
  const owner = { uid: random(60_000), gid: random(60_000), mode: random(0o10000), modified: random(2_000_000_000) };
  if (kind === "opaque") return { path: `${start}.wh..wh..opq` };
  if (kind === "gone") {
    if (!present.has(path)) present.set(path, kind);
    return { path: `${start}.wh.${name}`, format: "pax" };
  }
  if (kind === "hardlink" && others.length === 0) return { path: start === "" ? "./" : start, type: "5", ...owner };
  if (kind !== "directory") for (const has of present.keys()) if (has.startsWith(`${path}/`)) present.delete(has);
  present.set(path, kind === "hardlink" ? "file" : kind);
  const common = { path, format: "pax", ...owner } as const;
  switch (kind) {
    case "file": {
      const records = random(5) === 0 ? { "SCHILY.xattr.security.capability": capability } : {};
      return { ...common, content: "x".repeat(random(3000)), records, mode: owner.mode | 0o100 };
    }
    case "directory":
      return { ...common, type: "5" };
    case "symlink":
      return { ...common, type: "2", target: pick(random, ["../../etc", "/absolute", "ü", "x".repeat(200)]) };
    case "hardlink":
      return { ...common, type: "1", target: pick(random, others) };
    case "fifo":
      return { ...common, type: "6" };
  }
}

function pick(random: Random, choices: readonly string[]): string {
  return choices[random(choices.length)] ?? "";
}

/** Whole numbers below the one asked for, the same for the same seed. */
function randomNumbers(seed: number): Random {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

if (import.meta.main) {
  const [folder = "", first = "", count = ""] = process.argv.slice(2);
  await checkRoundTrips(folder, { first: Number(first), count: Number(count) });
  process.stdout.write(`user ${process.getuid?.()}: ${count} layers\n`);
}
