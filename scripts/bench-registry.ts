/*
 * bun run bench registry [--runs 3] [--json]
 *
 * `cooper image push` and `pull` beside skopeo, with the plain registry that COOPER_TEST_REGISTRY_PLAIN names, in one run and in
 * turn. Every push is of new content to a new repository: skopeo replaces layers that it knows, and registries those that they have.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTree } from "./bench-assemble-fixtures.ts";
import { type MeasuredCommand, peakMemory, type Timing, timeInTurn, timingOf } from "./measure.ts";

const TOOLS = ["cooper", "skopeo"] as const;
type Tool = (typeof TOOLS)[number];
type Verb = "push" | "pull";

interface Row extends Timing {
  readonly verb: Verb;
  readonly tool: Tool;
  readonly peakMegabytes: number;
}

/** Where a benchmark works: everything that it writes is in `directory`, or in repositories called `name/…`. */
interface Place {
  readonly directory: string;
  readonly registry: string;
  readonly name: string;
}

const cooper = join(import.meta.dir, "..", "dist", "cooper");
const layers = 4;
const layerBytes = 60e6;

/** Measures and prints. */
export async function benchRegistry({ runs, json }: { runs: number; json: boolean }): Promise<void> {
  if (Bun.which("skopeo") === null) throw new Error("skopeo is not installed.");
  const registry = process.env["COOPER_TEST_REGISTRY_PLAIN"] ?? "localhost:5000";
  const answer = await fetch(`http://${registry}/v2/`).catch(() => undefined);
  if (answer?.ok !== true) throw new Error(`No registry at ${registry}: scripts/engines up registry starts one.`);
  const directory = mkdtempSync(join(tmpdir(), "cooper-bench-"));
  const place = { directory, registry, name: `cooper-bench-${crypto.randomUUID()}` };
  try {
    for (let layer = 0; layer < layers; layer++) {
      makeTree(directory, { name: `layer-${layer}`, title: "", files: 2000 + layer, bytes: layerBytes });
    }
    const rows: Row[] = [];
    for (const verb of ["push", "pull"] as const) {
      const measured = await measure(place, { verb, runs });
      rows.push(...measured);
      if (!json) print(verb, measured);
    }
    if (json) console.log(JSON.stringify({ runs, layers, layerBytes, rows }, null, 2));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(place: Place, { verb, runs }: { verb: Verb; runs: number }): Promise<Row[]> {
  const commands = verb === "push" ? pushCommands(place) : pullCommands(place);
  const times = await timeInTurn(commands, runs);
  const rows: Row[] = [];
  for (const tool of TOOLS) {
    const peakMegabytes = (await peakMemory(commands[tool])) / 1e6;
    rows.push({ verb, tool, ...timingOf(times.get(tool) ?? []), peakMegabytes });
  }
  return rows;
}

/** Each run's image is made anew before it, where the command reads it. */
function pushCommands(place: Place): Record<Tool, MeasuredCommand> {
  const { directory, registry, name } = place;
  const command = (tool: Tool): MeasuredCommand => {
    const repository = `${registry}/${name}/${tool}`;
    const script = {
      cooper: `"${cooper}" image push oci:image "$(cat reference)"`,
      skopeo: 'skopeo --insecure-policy copy --dest-tls-verify=false oci:image "docker://$(cat reference)"',
    };
    let count = 0;
    return {
      argv: ["sh", "-c", `exec ${script[tool]}`],
      cwd: directory,
      env: process.env,
      prepare: () => {
        count += 1;
        makeImage(place);
        writeFileSync(join(directory, "reference"), `${repository}-${count}:1`);
      },
    };
  };
  return { cooper: command("cooper"), skopeo: command("skopeo") };
}

function pullCommands(place: Place): Record<Tool, MeasuredCommand> {
  const { directory, registry, name } = place;
  const reference = `${registry}/${name}/pulled:1`;
  makeImage(place);
  run(directory, [cooper, "image", "push", "oci:image", reference]);
  const prepare = () => rmSync(join(directory, "pulled"), { recursive: true, force: true });
  const rest = { cwd: directory, env: process.env, prepare };
  const skopeo = ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false"] as const;
  return {
    cooper: { argv: [cooper, "image", "pull", reference, "oci:pulled"], ...rest },
    skopeo: { argv: [...skopeo, `docker://${reference}`, "oci:pulled:1"], ...rest },
  };
}

/** An image whose layers nobody has seen, as a layout with one image. */
function makeImage({ directory }: Place): void {
  const folders = Array.from({ length: layers }, (_, layer) => `layer-${layer}`);
  for (const folder of folders) writeFileSync(join(directory, folder, "unique"), crypto.randomUUID());
  mkdirSync(join(directory, "empty"), { recursive: true });
  rmSync(join(directory, "image"), { recursive: true, force: true });
  const how = ["--compression-level", "1", "--output", "oci:new"];
  run(directory, [cooper, "image", "assemble", "empty", "--output", "base.tar"]);
  run(directory, [cooper, "image", "append", "base.tar", ...folders, ...how]);
  renameSync(join(directory, "new"), join(directory, "image"));
}

function run(cwd: string, argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv], { cwd });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}:\n${stderr}`);
}

function print(verb: Verb, rows: readonly Row[]): void {
  console.log(`\n${verb}, ${layers} layers of ${layerBytes / 1e6} MB before compression`);
  const reference = rows.find(({ tool }) => tool === "skopeo")?.median ?? Number.NaN;
  for (const { tool, median, min, peakMegabytes } of rows) {
    const time = `${(median / 1000).toFixed(2)} s (${(min / 1000).toFixed(2)})`;
    const ratio = `${(median / reference).toFixed(2)} × skopeo`;
    const memory = `at most ${peakMegabytes.toFixed(0)} MB of memory`;
    console.log(`  ${tool.padEnd(12)}${time.padStart(18)}${ratio.padStart(16)}   ${memory}`);
  }
}
