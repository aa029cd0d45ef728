/*
 * bun run bench native [--runs 10] [--json]
 *
 * `cooper build` of the same plans with cooper's own engine, Docker and Podman, in one run and in turn: two Features, cold, where Docker
 * and Podman have neither an image nor a cache of steps and cooper's store holds the base's blobs alone; the same where cooper has unpacked
 * the base, as the others always have; two Features that changed; nothing changed; one Feature more than five; and the memory that all of
 * cooper's processes have together.
 */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { descendantsOf } from "../src/host/process-tree.ts";
import { availableEngines, BASE_IMAGE, type TestEngine } from "../tests/engines/engines.ts";
import { makeLocalWorkspace, removeImages } from "./bench-fixtures.ts";
import { type MeasuredCommand, type Timing, timeInTurn, timingOf } from "./measure.ts";

interface Row {
  readonly name: string;
  readonly unit: "ms" | "MB";
  readonly timings: Readonly<Record<string, Timing>>;
  readonly target: string;
  readonly met: boolean;
}

/** Where a benchmark works, and who builds there: Docker, Podman, or undefined for cooper's own engine. */
interface Place {
  readonly directory: string;
  readonly runs: number;
  readonly builders: Readonly<Record<string, TestEngine | undefined>>;
}

const root = join(import.meta.dir, "..");
const cooper = join(root, "dist", "cooper");

/** Measures and prints. */
export async function benchNative({ runs, json }: { runs: number; json: boolean }): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "cooper-bench-"));
  const engines = availableEngines().filter(
    ({ reason, name }) => reason === undefined && /^(docker|podman)$/.test(name),
  );
  const builders = { native: undefined, ...Object.fromEntries(engines.map((engine) => [engine.name, engine])) };
  const place: Place = { directory, runs, builders };
  try {
    run([cooper, "image", "copy", source(engines[0]), savedBase(place)], environment(place, engines[0]));
    emptyStore(place);
    const rows: Row[] = [];
    for (const measure of [
      measureCold,
      measureUnpacked,
      measureChanged,
      measureUnchanged,
      measureOneMore,
      measureMemory,
    ]) {
      const row = await measure(place);
      rows.push(row);
      if (!json) print(row);
    }
    if (json) console.log(JSON.stringify({ runs, rows }, null, 2));
  } finally {
    for (const engine of engines) removeImages(engine, basename(directory).toLowerCase());
    // Files of subordinate ids are not everybody's to remove.
    Bun.spawnSync([cooper, "image", "prune", "--store", "--until", "0s"], { env: environment(place, undefined) });
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureCold(place: Place): Promise<Row> {
  const timings = await timeWithoutCache(place, { label: "cold", unpacked: false });
  const met = ratioTo(timings, "docker") <= 0.6;
  return { name: "2 Features, cold", unit: "ms", timings, target: "at most 0.6 of docker's", met };
}

async function measureUnpacked(place: Place): Promise<Row> {
  const timings = await timeWithoutCache(place, { label: "unpacked", unpacked: true });
  const met = ratioTo(timings, "docker") <= 0.6;
  return { name: "the same, base unpacked", unit: "ms", timings, target: "at most 0.6 of docker's", met };
}

function timeWithoutCache(place: Place, { label, unpacked }: { label: string; unpacked: boolean }) {
  const commands = eachBuilder(place, (name) => {
    const workspace = makeLocalWorkspace(place.directory, `${label}-${name}`);
    const engine = place.builders[name];
    const image = basename(workspace).toLowerCase();
    const prepare = () => {
      if (engine !== undefined) removeImages(engine, image);
      else emptyStore(place);
      if (engine === undefined && unpacked) unpackBase(place);
    };
    return { workspace, prepare, args: ["--no-cache"] };
  });
  return timed(commands, place);
}

/** Unpacks the base. */
function unpackBase(place: Place): void {
  run([cooper, "image", "run", BASE_IMAGE, "true"], environment(place, undefined));
}

/** Leaves nothing in cooper's store but the base's blobs. */
function emptyStore(place: Place): void {
  const env = environment(place, undefined);
  run([cooper, "image", "prune", "--store", "--until", "0s"], env);
  run([cooper, "image", "copy", savedBase(place), `store:${BASE_IMAGE}`], env);
}

function savedBase({ directory }: Place): string {
  return `oci:${join(directory, "base")}:base`;
}

async function measureChanged(place: Place): Promise<Row> {
  const commands = eachBuilder(place, (name) => {
    const workspace = makeLocalWorkspace(place.directory, `cold-${name}`);
    const script = join(workspace, ".devcontainer", "color", "install.sh");
    const other = join(workspace, ".devcontainer", "hello", "install.sh");
    return { workspace, prepare: () => [script, other].forEach(change) };
  });
  const timings = await timed(commands, place);
  const met = ratioTo(timings, "docker") <= 0.6;
  return { name: "2 Features that changed", unit: "ms", timings, target: "at most 0.6 of docker's", met };
}

async function measureUnchanged(place: Place): Promise<Row> {
  const commands = eachBuilder(place, (name) => {
    const workspace = makeLocalWorkspace(place.directory, `unchanged-${name}`);
    return { workspace, prepare: () => {} };
  });
  const timings = await timed(commands, place);
  const met = (timings["native"]?.median ?? Number.NaN) <= 80;
  return { name: "nothing changed", unit: "ms", timings, target: "at most 80 ms", met };
}

/** Each run begins with five Features built, of which the first is another one every time, and adds a sixth. */
async function measureOneMore(place: Place): Promise<Row> {
  const ran: number[] = [];
  const commands = eachBuilder(place, (name, build) => {
    const workspace = join(place.directory, `${basename(place.directory)}-more-${name}`);
    const prepare = () => {
      writeFeatures(workspace, 5);
      run(build(workspace).argv, build(workspace).env);
      writeFeatures(workspace, 6);
      if (name === "native") ran.push(stepsToRun(build(workspace)));
      writeFeatures(workspace, 6);
    };
    return { workspace, prepare };
  });
  const timings = await timed(commands, place);
  const [most = Number.NaN] = ran.toSorted((a, b) => b - a);
  return { name: "1 Feature more than 5", unit: "ms", timings, target: `1 step runs (${most})`, met: most === 1 };
}

async function measureMemory(place: Place): Promise<Row> {
  const workspace = makeLocalWorkspace(place.directory, "memory");
  const script = join(workspace, ".devcontainer", "color", "install.sh");
  appendFileSync(script, "\nhead -c 200000000 /dev/urandom >/large\n");
  const { argv, env } = buildCommand(place, "native", workspace);
  const peaks: number[] = [];
  for (let count = 0; count < Math.min(place.runs, 3); count += 1) {
    change(script);
    peaks.push((await peakTogether(argv, env)) / 1e6);
  }
  const timing = timingOf(peaks);
  const target = "under 150 MB";
  return {
    name: "memory, a step writes 200 MB",
    unit: "MB",
    timings: { native: timing },
    target,
    met: timing.median < 150,
  };
}

/** How many of the sixth Feature's build's steps are not known: what it says of them, before it is undone by a Feature of another text. */
function stepsToRun({ argv, env }: MeasuredCommand): number {
  const { stderr } = Bun.spawnSync([...argv], { env });
  const lines = stderr.toString().split("\n");
  const begun = lines.filter((line) => / \[\d+\/\d+\] /.test(line)).length;
  return begun - lines.filter((line) => / CACHED$/.test(line)).length;
}

function writeFeatures(workspace: string, count: number): void {
  const folder = join(workspace, ".devcontainer");
  const ids = Array.from({ length: count }, (_, index) => `f${index + 1}`);
  for (const id of ids) {
    const place = join(folder, id);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "devcontainer-feature.json"), JSON.stringify({ id, version: "1.0.0", name: id }));
    // The last is always new.
    const mark = id === "f6" ? `\n# ${crypto.randomUUID()}` : "";
    writeFileSync(join(place, "install.sh"), `#!/bin/sh\necho ${id} >/usr/local/share/${id}${mark}\n`);
  }
  const features = Object.fromEntries(ids.map((id) => [`./${id}`, {}]));
  const overrideFeatureInstallOrder = ids.map((id) => `./${id}`);
  const config = { image: BASE_IMAGE, features, overrideFeatureInstallOrder };
  writeFileSync(join(folder, "devcontainer.json"), JSON.stringify(config));
}

/** A command for each builder, with what is done before each of its runs. */
function eachBuilder(
  place: Place,
  prepared: (
    name: string,
    build: (workspace: string) => MeasuredCommand,
  ) => { readonly workspace: string; readonly prepare: () => void; readonly args?: readonly string[] },
): Readonly<Record<string, MeasuredCommand>> {
  const entries = Object.keys(place.builders).map((name) => {
    const { workspace, prepare, args } = prepared(name, (folder) => buildCommand(place, name, folder));
    return [name, { ...buildCommand(place, name, workspace, args), prepare }] as const;
  });
  return Object.fromEntries(entries);
}

function buildCommand(place: Place, name: string, workspace: string, args: readonly string[] = []): MeasuredCommand {
  const engine = place.builders[name];
  const backend = engine === undefined ? ["--backend", "native"] : ["--docker-path", engine.path];
  const argv = [cooper, "build", "--workspace-folder", workspace, ...backend, ...args] as const;
  return { argv, cwd: root, env: environment(place, engine) };
}

function environment({ directory }: Pick<Place, "directory">, engine: TestEngine | undefined) {
  const home = (name: string) => join(directory, "home", name);
  return {
    ...process.env,
    ...engine?.env,
    BUILDKIT_PROGRESS: "plain",
    XDG_CACHE_HOME: home("cache"),
    XDG_CONFIG_HOME: home("config"),
    XDG_DATA_HOME: home("data"),
    ...(engine === undefined ? {} : { COOPER_DOCKER_PATH: engine.path }),
  };
}

function source(engine: TestEngine | undefined): string {
  return engine === undefined ? `docker://${BASE_IMAGE}` : `engine:${BASE_IMAGE}`;
}

function change(script: string): void {
  appendFileSync(script, `# ${crypto.randomUUID()}\n`);
}

async function timed(
  commands: Readonly<Record<string, MeasuredCommand>>,
  { runs }: Place,
): Promise<Readonly<Record<string, Timing>>> {
  const times = await timeInTurn(commands, runs);
  return Object.fromEntries([...times].map(([name, list]) => [name, timingOf(list)]));
}

function ratioTo(timings: Readonly<Record<string, Timing>>, other: string): number {
  return (timings["native"]?.median ?? Number.NaN) / (timings[other]?.median ?? Number.NaN);
}

function run(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv], { env });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
}

/** The most that all of cooper's processes of a run have in use at once, in bytes; what they share counts once. Linux only. */
async function peakTogether(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const child = Bun.spawn([...argv], { env: { ...env }, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  let peak = 0;
  const sampling = setInterval(() => {
    const ids = [child.pid, ...descendantsOf(child.pid).map(({ pid }) => pid)];
    peak = Math.max(
      peak,
      ids.map(proportionalSize).reduce((sum, size) => sum + size, 0),
    );
  }, 10);
  await child.exited;
  clearInterval(sampling);
  if (child.exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${child.exitCode}`);
  return peak;
}

/** Of one of cooper's processes: a step's own memory is not cooper's. */
function proportionalSize(id: number): number {
  try {
    if (!readFileSync(`/proc/${id}/cmdline`, "utf8").startsWith(`${cooper}\0`)) return 0;
    const [, size = "0"] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8")) ?? [];
    return Number(size) * 1024;
  } catch {
    // It ended between two samples.
    return 0;
  }
}

function print({ name, unit, timings, target, met }: Row): void {
  const shown = Object.entries(timings).map(([label, { median, min }]) => {
    const ratio = label === "native" ? "" : ` ×${ratioTo(timings, label).toFixed(2)}`;
    return `${label} ${median.toFixed(0)} ${unit} (${min.toFixed(0)})${ratio}`;
  });
  console.log(`${name.padEnd(30)} ${shown.join("   ")}   ${target}: ${met ? "met" : "MISSED"}`);
}
