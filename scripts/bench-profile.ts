/*
 * bun run bench profile [--runs 10] [--json]
 *
 * `cooper profile build` of a repository in which nothing changed, on every engine found and on cooper's own: the time until the answer
 * that the image is reused. At most 300 ms are wanted.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { availableEngines, BASE_IMAGE, type TestEngine } from "../tests/engines/engines.ts";
import { makeTree } from "./bench-assemble-fixtures.ts";
import { type MeasuredCommand, type Timing, timeInTurn, timingOf } from "./measure.ts";

const MOST_MILLISECONDS = 300;
const FILES = [10, 2000] as const;

interface Row extends Timing {
  readonly engine: string;
  readonly files: number;
  readonly met: boolean;
}

/** Where a benchmark works: everything that it writes is in `directory`, or in images called after `name`. */
interface Place {
  readonly directory: string;
  readonly name: string;
}

const cooper = join(import.meta.dir, "..", "dist", "cooper");

/** Measures and prints. */
export async function benchProfile({ runs, json }: { runs: number; json: boolean }): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "cooper-bench-"));
  const place = { directory, name: `localhost/cooper-bench-${crypto.randomUUID()}` };
  const engines = availableEngines().filter(({ reason }) => reason === undefined);
  const rows: Row[] = [];
  try {
    for (const engine of [...engines, undefined]) {
      if (engine === undefined && process.platform !== "linux") continue;
      rows.push(...(await measureEngine(place, { engine, runs, from: engines[0] })));
      if (!json) for (const row of rows.splice(0)) print(row);
    }
    if (json) console.log(JSON.stringify({ runs, rows }, null, 2));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** `engine` undefined is cooper's own, whose base comes from the engine `from`, else from its registry. */
async function measureEngine(
  { directory, name }: Place,
  { engine, runs, from }: { engine: TestEngine | undefined; runs: number; from: TestEngine | undefined },
): Promise<Row[]> {
  const label = engine?.name ?? "native";
  const base = `${name}/${label}:1`;
  const env = environmentIn(join(directory, label), engine ?? from);
  makeBase(base, { engine, env, directory });
  const tags: string[] = [];
  try {
    const rows: Row[] = [];
    for (const files of FILES) {
      const { command, tag } = build({ directory, label, base, files }, env);
      tags.push(tag);
      const timing = timingOf((await timeInTurn({ command }, runs)).get("command") ?? []);
      rows.push({ engine: label, files, ...timing, met: timing.median <= MOST_MILLISECONDS });
    }
    return rows;
  } finally {
    const remove = engine === undefined ? [cooper, "image", "rm", "--store"] : [engine.path, "rmi", "--force"];
    Bun.spawnSync([...remove, base, ...tags], { env });
  }
}

/** Builds a repository of that many files, and gives the command that finds nothing changed. */
function build(
  { directory, label, base, files }: { directory: string; label: string; base: string; files: number },
  env: Readonly<Record<string, string | undefined>>,
): { command: MeasuredCommand; tag: string } {
  const title = `${label}-${files}`;
  makeTree(directory, { name: title, title: "", files, bytes: files * 4000 });
  const profile = join(directory, `${title}.json`);
  writeFileSync(profile, JSON.stringify({ install_cmds: ["true"], reason: base + files }));
  const request = join(directory, `${title}-request.json`);
  const image_cache_dir = join(directory, "archives");
  writeFileSync(request, JSON.stringify({ repo_dir: join(directory, title), profile_path: profile, image_cache_dir }));
  const backend = label === "native" ? "native" : "engine";
  const words = ["profile", "build", "--request", request, "--base-image", base, "--backend", backend] as const;
  const first = Bun.spawnSync([cooper, ...words], { env });
  if (first.exitCode !== 0) throw new Error(`${words.join(" ")}: ${first.stderr}`);
  const { image_tag } = JSON.parse(first.stdout.toString());
  return { command: { argv: [cooper, ...words], cwd: directory, env }, tag: String(image_tag) };
}

/** A base whose `apt-get` does nothing. */
function makeBase(
  base: string,
  { engine, env, directory }: { engine: TestEngine | undefined; env: Record<string, string>; directory: string },
): void {
  const run = (argv: readonly string[], stdin = "") => {
    const { exitCode, stderr } = Bun.spawnSync([...argv], { env, stdin: new TextEncoder().encode(stdin) });
    if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  };
  if (engine !== undefined) {
    run([engine.path, "build", "-t", base, "-"], `FROM ${BASE_IMAGE}\nRUN ln -sf /bin/true /usr/local/bin/apt-get\n`);
    return;
  }
  const programs = join(directory, "layer", "usr", "local", "bin");
  mkdirSync(programs, { recursive: true });
  writeFileSync(join(programs, "apt-get"), "#!/bin/sh\n");
  chmodSync(join(programs, "apt-get"), 0o755);
  const source = env["COOPER_DOCKER_PATH"] === undefined ? `docker://${BASE_IMAGE}` : `engine:${BASE_IMAGE}`;
  run([cooper, "image", "copy", source, `store:${BASE_IMAGE}`]);
  run([cooper, "image", "append", `store:${BASE_IMAGE}`, join(directory, "layer"), "--output", `store:${base}`]);
}

function environmentIn(home: string, engine: TestEngine | undefined): Record<string, string> {
  const own = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return {
    ...Object.fromEntries(own),
    ...(engine === undefined ? {} : { ...engine.env, COOPER_DOCKER_PATH: engine.path }),
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    ...(process.getuid?.() === 0 ? { XDG_DATA_HOME: join(home, "data") } : {}),
  };
}

function print({ engine, files, median, min, met }: Row): void {
  const time = `${median.toFixed(0)} ms (${min.toFixed(0)})`;
  const what = `profile reused, ${files} files, ${engine}`;
  console.log(`${what.padEnd(50)}${time.padStart(16)}   at most ${MOST_MILLISECONDS} ms: ${met ? "met" : "MISSED"}`);
}
