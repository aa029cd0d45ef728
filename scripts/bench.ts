/*
 * bun run bench [--runs 10] [--engine docker|podman] [--json]
 * bun run bench agent: the start of an agent alone
 * bun run bench assemble: see bench-assemble.ts
 * bun run bench registry: see bench-registry.ts
 * bun run bench profile: see bench-profile.ts
 * bun run bench native: see bench-native.ts
 *
 * cooper beside the reference CLI (the npm package) on one engine, in one run and in turn. Local Features always, Features from a
 * registry when COOPER_TEST_REGISTRY_PLAIN names one. Times are ratios of two tools on this machine, not facts about either.
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { availableEngines } from "../tests/engines/engines.ts";
import { measureAgentStart } from "./bench-agent.ts";
import { benchAssemble } from "./bench-assemble.ts";
import { type Bench, bothTools, type Case, compare, milliseconds, TOOLS, type Tool, timings } from "./bench-case.ts";
import {
  engineTime,
  makeLocalWorkspace,
  makeRegistryWorkspace,
  makeTimedClient,
  removeImages,
} from "./bench-fixtures.ts";
import { benchNative } from "./bench-native.ts";
import { benchProfile } from "./bench-profile.ts";
import { benchRegistry } from "./bench-registry.ts";
import { measureCreate, measureExec, measureRunning, removeContainers } from "./bench-up.ts";
import { peakMemory, type Timing, timeInTurn, timingOf } from "./measure.ts";

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      trees: { type: "string" },
      levels: { type: "string" },
      tools: { type: "string" },
      runs: { type: "string", default: "10" },
      engine: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  if (positionals[0] === "assemble") {
    const { trees, levels, tools, json } = values;
    await benchAssemble({ runs: Number(values.runs), only: { trees, levels, tools }, json });
    return;
  }
  if (positionals[0] === "registry") {
    await benchRegistry({ runs: Number(values.runs), json: values.json });
    return;
  }
  if (positionals[0] === "native") {
    await benchNative({ runs: Number(values.runs), json: values.json });
    return;
  }
  if (positionals[0] === "profile") {
    await benchProfile({ runs: Number(values.runs), json: values.json });
    return;
  }
  const engine = availableEngines().find(
    ({ name, reason }) => reason === undefined && (values.engine === undefined || name === values.engine),
  );
  if (engine === undefined)
    throw new Error(
      `No engine: ${availableEngines()
        .map((one) => `${one.name}: ${one.reason}`)
        .join("; ")}`,
    );
  const directory = mkdtempSync(join(tmpdir(), "cooper-bench-"));
  try {
    const cases = await measureAll(
      { engine, runs: Number(values.runs), directory },
      { quiet: values.json, only: positionals[0] },
    );
    if (values.json)
      console.log(
        JSON.stringify({ engine: engine.name, version: engine.version, runs: Number(values.runs), cases }, null, 2),
      );
  } finally {
    removeContainers(engine, directory);
    removeImages(engine, basename(directory).toLowerCase());
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureAll(
  bench: Bench,
  { quiet, only }: { readonly quiet: boolean; readonly only: string | undefined },
): Promise<readonly Case[]> {
  if (!quiet)
    console.log(
      `${bench.engine.name} ${bench.engine.version}, ${bench.runs} runs of each tool in turn: median (min)\n${headings()}`,
    );
  const cases: Case[] = [];
  const builds = [measureStart, measureUnchangedLocal, measureUnchangedRegistry, measureCold, measureMemory];
  const all = [...builds, measureRunning, measureCreate, measureExec, measureAgentStart];
  for (const measure of only === "agent" ? [measureAgentStart] : all) {
    const measured = await measure(bench);
    if (measured === undefined) continue;
    cases.push(measured);
    if (!quiet) console.log(row(measured));
  }
  return cases;
}

async function measureStart(bench: Bench): Promise<Case> {
  const times = await timeInTurn(bothTools(bench, ["--version"]), bench.runs);
  const { cooper, reference } = timings(times);
  return {
    ...compare("--version", cooper, reference),
    ...milliseconds,
    target: "under 25 ms",
    met: cooper.median < 25,
  };
}

async function measureUnchangedLocal(bench: Bench): Promise<Case> {
  return measureUnchanged(bench, "nothing changed, 2 local Features", makeLocalWorkspace(bench.directory, "unchanged"));
}

async function measureUnchangedRegistry(bench: Bench): Promise<Case | undefined> {
  const registry = process.env["COOPER_TEST_REGISTRY_PLAIN"] ?? "localhost:5000";
  const answer = await fetch(`http://${registry}/v2/`).catch(() => undefined);
  if (answer?.ok !== true) return undefined;
  const workspace = await makeRegistryWorkspace(bench.directory, registry);
  return measureUnchanged(bench, "nothing changed, 2 OCI Features", workspace);
}

async function measureUnchanged(bench: Bench, name: string, workspace: string): Promise<Case> {
  const times = await timeInTurn(bothTools(bench, ["build", "--workspace-folder", workspace]), bench.runs);
  const compared = compare(name, timings(times).cooper, timings(times).reference);
  return { ...compared, ...milliseconds, target: "ratio at most 0.25", met: compared.ratio <= 0.25 };
}

/** What each tool takes beyond the engine's own build, which a stand-in for the engine's client times from within. */
async function measureCold(bench: Bench): Promise<Case> {
  const workspace = makeLocalWorkspace(bench.directory, "cold");
  const script = join(workspace, ".devcontainer", "color", "install.sh");
  const log = join(bench.directory, "engine-times");
  const client = makeTimedClient(bench.directory, { engine: bench.engine, log });
  const build = ["build", "--workspace-folder", workspace, "--docker-path", client];
  const prepare = () => {
    changeFeature(bench, script);
    writeFileSync(log, "");
  };
  const beyond: Record<Tool, number[]> = { cooper: [], reference: [] };
  const commands = bothTools(bench, build, prepare);
  await timeInTurn(commands, bench.runs, (tool, total) => beyond[tool].push(total - engineTime(log)));
  const cooper = timingOf(beyond.cooper);
  const compared = compare("cold, 2 local Features, beyond the engine's time", cooper, timingOf(beyond.reference));
  return { ...compared, ...milliseconds, target: "at most 150 ms", met: cooper.median <= 150 };
}

async function measureMemory(bench: Bench): Promise<Case> {
  const workspace = makeLocalWorkspace(bench.directory, "memory");
  const script = join(workspace, ".devcontainer", "color", "install.sh");
  const prepare = () => changeFeature(bench, script);
  const commands = bothTools(bench, ["build", "--workspace-folder", workspace], prepare);
  const peaks: Record<Tool, number[]> = { cooper: [], reference: [] };
  for (let run = 0; run < Math.min(bench.runs, 3); run++) {
    for (const tool of TOOLS) peaks[tool].push((await peakMemory(commands[tool])) / 1e6);
  }
  const cooper = timingOf(peaks.cooper);
  const compared = compare("cold, peak memory", cooper, timingOf(peaks.reference));
  return { ...compared, unit: "MB", target: "under 120 MB", met: Math.max(...peaks.cooper) < 120 };
}

/** So that its layer must be built again; the images of earlier runs go, or they would pile up without a name. */
function changeFeature({ engine, directory }: Bench, script: string): void {
  removeImages(engine, basename(directory).toLowerCase());
  appendFileSync(script, `# ${crypto.randomUUID()}\n`);
}

function headings(): string {
  return line(["", "cooper", "reference", "ratio", "target"]);
}

function row({ name, unit, cooper, reference, ratio, target, met }: Case): string {
  const show = ({ median, min }: Timing) => `${median.toFixed(0)} ${unit} (${min.toFixed(0)})`;
  return line([name, show(cooper), show(reference), ratio.toFixed(2), `${target}: ${met ? "met" : "MISSED"}`]);
}

function line([name = "", ...columns]: readonly string[]): string {
  const [cooper = "", reference = "", ratio = "", target = ""] = columns;
  return `${name.padEnd(50)}${cooper.padStart(16)}${reference.padStart(18)}${ratio.padStart(8)}   ${target}`.trimEnd();
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
