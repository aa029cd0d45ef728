import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_IMAGE, type TestEngine } from "../tests/engines/engines.ts";
import { type Bench, bothTools, type Case, compare, milliseconds } from "./bench-case.ts";
import { type MeasuredCommand, timeInTurn, timingOf } from "./measure.ts";

/** The most that `cooper opencode` may add to a bare `run` of the same image with the same options. */
const MOST_MILLISECONDS = 150;

/** `cooper opencode --version` where nothing is to be built, beside the engine's own `run` with the very words that cooper gives it. */
export async function measureAgentStart(bench: Bench): Promise<Case | undefined> {
  const workspace = join(bench.directory, "agent");
  const volumes = bench.directory.replace(/^.*-/, "bench-").toLowerCase();
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(workspace, "cooper.jsonc"), JSON.stringify({ custom_base_image: BASE_IMAGE }));
  const own = bothTools(bench, ["--version"]).cooper;
  const env = {
    ...own.env,
    HOME: join(bench.directory, "home"),
    COOPER_DATA_VOLUMES_MODE: "always",
    COOPER_DATA_VOLUMES_NAME: volumes,
  };
  const cooper: MeasuredCommand = { argv: [own.argv[0], "opencode", "--version"], cwd: workspace, env };
  try {
    const words = withPlaceholders(recordRun(cooper, bench), workspace);
    const bare: MeasuredCommand = { argv: [bench.engine.path, ...words], cwd: workspace, env };
    const times = await timeInTurn({ cooper, bare }, bench.runs);
    const [ours, engines] = [timingOf(times.get("cooper") ?? []), timingOf(times.get("bare") ?? [])];
    const over = ours.median - engines.median;
    const target = `${over.toFixed(0)} ms over the engine's own run, at most ${MOST_MILLISECONDS}`;
    const name = "opencode --version, beside the engine's run";
    return { ...compare(name, ours, engines), ...milliseconds, target, met: over <= MOST_MILLISECONDS };
  } finally {
    removeLeft(bench.engine, volumes);
  }
}

/** The words for a copy of the workspace, with what cooper puts there for as long as an agent runs: the engine mounts over it. */
function withPlaceholders(words: readonly string[], workspace: string): readonly string[] {
  const copy = `${workspace}-bare`;
  cpSync(workspace, copy, { recursive: true });
  const moved = words.map((word) =>
    word.replaceAll(`${workspace}/`, `${copy}/`).replaceAll(`${workspace},`, `${copy},`),
  );
  const places = moved.flatMap((word) => /(?:^|,)source=([^,]+)/.exec(word)?.[1] ?? []);
  for (const place of places) if (place.startsWith(`${copy}/`) && !existsSync(place)) mkdirSync(place);
  return moved;
}

/** Runs the command once, which may build, and gives the arguments of the engine's `run` that it came to. */
function recordRun({ argv, cwd, env }: MeasuredCommand, { engine, directory }: Bench): readonly string[] {
  const [client, log] = [join(directory, "recording-client"), join(directory, "recorded-run")];
  appendFileSync(log, "");
  const record = `if [ "$1" = run ]; then printf '%s\\0' "$@" >'${log}'; fi`;
  writeFileSync(client, `#!/bin/sh\n${record}\nexec '${engine.path}' "$@"\n`);
  chmodSync(client, 0o755);
  const { exitCode, stderr } = Bun.spawnSync([...argv], { cwd, env: { ...env, COOPER_DOCKER_PATH: client } });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return readFileSync(log, "utf8").split("\0").slice(0, -1);
}

function removeLeft(engine: TestEngine, volumes: string): void {
  const env = { ...process.env, ...engine.env };
  Bun.spawnSync([engine.path, "volume", "rm", `${volumes}-cache`, `${volumes}-local`], { env });
}
