/*
 * bun run bench assemble [--runs 3] [--trees mixed,large,small,single] [--levels none,gzip-1,gzip-6,zstd-3] [--tools cooper,umoci] [--json]
 *
 * `cooper image assemble` beside what the machine has, by level of compression, in one run and in turn; beside it the limit that
 * this machine's processors set: the time to read, hash (twice), compress and write the same bytes, divided by their number.
 */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { makeTree, TREES } from "./bench-assemble-fixtures.ts";
import { type MeasuredCommand, peakMemory, type Timing, timeInTurn, timingOf } from "./measure.ts";

type Level = "none" | "gzip-1" | "gzip-6" | "zstd-3";
const LEVELS = ["none", "gzip-1", "gzip-6", "zstd-3"] as const;

interface Row extends Timing {
  readonly tree: string;
  readonly level: Level;
  readonly tool: string;
  readonly bytes: number | undefined;
  readonly peakMegabytes: number | undefined;
}

interface Place {
  /** What is assembled. */
  readonly tree: string;
  /** Everything that the tools write is in here. */
  readonly out: string;
}

const root = join(import.meta.dir, "..");
const docker = findDocker();

function findDocker(): string | null {
  const path = process.env["COOPER_TEST_DOCKER"] ?? Bun.which("docker");
  return path !== null && Bun.spawnSync([path, "version"]).exitCode === 0 ? path : null;
}

type Only = Readonly<Record<"trees" | "levels" | "tools", string | undefined>>;

const isWanted = (wanted: string | undefined, name: string) => wanted === undefined || wanted.split(",").includes(name);

/** Measures and prints. */
export async function benchAssemble(options: {
  runs: number;
  /** Names with commas; all of them when undefined. */
  only: Only;
  json: boolean;
}): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "cooper-bench-"));
  const { only } = options;
  const rows: Row[] = [];
  try {
    for (const tree of TREES.filter(({ name }) => isWanted(only.trees, name))) {
      const place = { tree: makeTree(directory, tree), out: mkdtempSync(join(directory, "out-")) };
      for (const level of LEVELS.filter((name) => isWanted(only.levels, name))) {
        const limit = measureLimit(place, level);
        const measured = await measureLevel(place, { tree: tree.title, level, runs: options.runs, tools: only.tools });
        rows.push(...measured);
        if (!options.json) print(tree.title, { level, limit, rows: measured });
      }
      rmSync(place.tree, { recursive: true });
      rmSync(place.out, { recursive: true });
    }
    if (options.json) console.log(JSON.stringify({ runs: options.runs, rows }, null, 2));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureLevel(
  place: Place,
  { tree, level, runs, tools }: { tree: string; level: Level; runs: number; tools: string | undefined },
): Promise<Row[]> {
  const all = Object.entries(commandsOf(place, level));
  const commands = Object.fromEntries(all.filter(([tool]) => isWanted(tools, tool)));
  const sizes = new Map<string, number | undefined>();
  const times = await timeInTurn(commands, runs, (tool) => sizes.set(tool, sizeOf(join(place.out, "image"))));
  const rows: Row[] = [];
  for (const [tool, series] of times) {
    const command = commands[tool];
    // Of a pipeline or a daemon's client the memory would say nothing.
    const peak = tool === "cooper" && command !== undefined ? (await peakMemory(command)) / 1e6 : undefined;
    rows.push({ tree, level, tool, ...timingOf(series), bytes: sizes.get(tool), peakMegabytes: peak });
  }
  return rows;
}

/** Undefined for what is a folder. */
function sizeOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true ? stats.size : undefined;
}

/** What gives a layer at a level, as far as it is installed. */
function commandsOf({ tree, out }: Place, level: Level): Record<string, MeasuredCommand> {
  const output = join(out, "image");
  const [compression = "", grade] = level.split("-");
  const grades = grade === undefined ? [] : ["--compression-level", grade];
  const assemble = ["image", "assemble", tree, "--output", `oci-archive:${output}`, "--compression", compression];
  const commands: Record<string, MeasuredCommand> = {};
  const add = (tool: string, file: string, argv: readonly [string, ...string[]]) => {
    if (Bun.which(file) === null) return;
    const prepare = () => rmSync(output, { recursive: true, force: true });
    commands[tool] = { argv, cwd: out, env: process.env, prepare };
  };
  const shell = (script: string): [string, ...string[]] => ["sh", "-c", `set -e; ${script}`, "sh", tree, output];
  add("cooper", join(root, "dist", "cooper"), [join(root, "dist", "cooper"), ...assemble, ...grades]);
  if (level === "none") add("tar", "tar", shell('tar -C "$1" -cf "$2" .'));
  if (compression === "gzip") add("tar | pigz", "pigz", shell(`tar -C "$1" -cf - . | pigz -${grade} >"$2"`));
  if (compression === "zstd") add("tar | zstd", "zstd", shell(`tar -C "$1" -cf - . | zstd -q -T0 -${grade} >"$2"`));
  // The level of the others, which have no option for another one.
  if (level !== "gzip-6") return commands;
  const umoci = 'umoci init --layout "$2"; umoci new --image "$2:a"; umoci insert --rootless --image "$2:a" "$1" /';
  add("umoci", "umoci", shell(umoci));
  const skopeo = 'skopeo --insecure-policy copy -q "tarball:$2.layer" "oci-archive:$2"';
  add("skopeo", "skopeo", shell(`tar -C "$1" -cf "$2.layer" .; ${skopeo}; rm "$2.layer"`));
  const build = 'printf "FROM scratch\\nCOPY . /\\n" >"$2.Dockerfile"';
  const buildah = `${build}; id=$(buildah bud -q --no-cache -f "$2.Dockerfile" "$1"); buildah push -q "$id" "oci-archive:$2"`;
  add("buildah", "buildah", shell(`${buildah}; buildah rmi -f "$id"`));
  if (docker === null) return commands;
  const id = `id=$("${docker}" build -q --no-cache -f "$2.Dockerfile" "$1")`;
  add("docker", docker, shell(`${build}; ${id}; "${docker}" save -o "$2" "$id"; "${docker}" rmi -f "$id"`));
  return commands;
}

/** Milliseconds that reading, both digests, compression and writing take one after the other, by the number of processors. */
function measureLimit({ tree, out }: Place, level: Level): number {
  const started = Bun.nanoseconds();
  const tar = Bun.spawnSync(["sh", "-c", 'tar -C "$1" -cf - . | wc -c', "sh", tree]);
  const read = Bun.nanoseconds() - started;
  const size = Number(tar.stdout.toString());
  const sampled = sampleOf(tree);
  const work = Bun.nanoseconds();
  let done = 0;
  const digests = [new Bun.CryptoHasher("sha256"), new Bun.CryptoHasher("sha256")] as const;
  const file = openSync(join(out, "limit"), "w");
  for (const chunk of sampled) {
    digests[0].update(chunk);
    const compressed = compress(chunk, level);
    if (level !== "none") digests[1].update(compressed);
    writeSync(file, compressed);
    done += chunk.length;
  }
  closeSync(file);
  const perByte = (Bun.nanoseconds() - work) / Math.max(done, 1);
  return (read + perByte * size) / availableParallelism() / 1e6;
}

function sampleOf(tree: string): Uint8Array<ArrayBuffer>[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", 'tar -C "$1" -cf - . 2>/dev/null | head -c 100000000', "sh", tree]);
  const bytes = new Uint8Array(stdout);
  const chunk = 1024 * 1024;
  return Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) =>
    bytes.slice(index * chunk, (index + 1) * chunk),
  );
}

function compress(chunk: Uint8Array<ArrayBuffer>, level: Level): Uint8Array {
  switch (level) {
    case "none":
      return chunk;
    case "gzip-1":
      return Bun.gzipSync(chunk, { level: 1, library: "libdeflate" });
    case "gzip-6":
      return Bun.gzipSync(chunk, { level: 6, library: "libdeflate" });
    case "zstd-3":
      return Bun.zstdCompressSync(chunk, { level: 3 });
  }
}

function print(title: string, { level, limit, rows }: { level: Level; limit: number; rows: readonly Row[] }): void {
  console.log(`\n${title}, ${level}: limit ${(limit / 1000).toFixed(2)} s`);
  for (const { tool, median, min, bytes, peakMegabytes } of rows) {
    const time = `${(median / 1000).toFixed(2)} s (${(min / 1000).toFixed(2)})`;
    const size = bytes === undefined ? "" : `${(bytes / 1e6).toFixed(1)} MB`;
    const memory = peakMegabytes === undefined ? "" : `, at most ${peakMegabytes.toFixed(0)} MB of memory`;
    const ratio = `${(median / limit).toFixed(2)} × limit`;
    console.log(`  ${tool.padEnd(12)}${time.padStart(18)}${ratio.padStart(16)}${size.padStart(12)}${memory}`);
  }
}
