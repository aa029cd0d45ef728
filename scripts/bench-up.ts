import type { TestEngine } from "../tests/engines/engines.ts";
import { type Bench, bothTools, type Case, compare, milliseconds, type Tool, timings } from "./bench-case.ts";
import { makeLocalWorkspace } from "./bench-fixtures.ts";
import { type MeasuredCommand, timeInTurn, timingOf } from "./measure.ts";

/** `up` where the container runs and all hooks have run. */
export async function measureRunning(bench: Bench): Promise<Case> {
  const times = await timeInTurn(eachInItsOwn(bench, "running", ["up"]), bench.runs);
  const compared = compare("up, container running", timings(times).cooper, timings(times).reference);
  return { ...compared, ...milliseconds, target: "ratio at most 0.3", met: compared.ratio <= 0.3 };
}

/** `up` where the image is there and the container is not; a hook runs in it. */
export async function measureCreate(bench: Bench): Promise<Case> {
  const commands = eachInItsOwn(bench, "create", ["up"], (workspace) => removeContainers(bench.engine, workspace));
  const times = await timeInTurn(commands, bench.runs);
  const compared = compare("up, image cached", timings(times).cooper, timings(times).reference);
  return { ...compared, ...milliseconds, target: "ratio at most 0.6", met: compared.ratio <= 0.6 };
}

/** `exec true`, beside the engine's own `exec`. */
export async function measureExec(bench: Bench): Promise<Case> {
  for (const { argv, cwd, env } of Object.values(eachInItsOwn(bench, "exec", ["up"]))) {
    const { exitCode, stderr } = Bun.spawnSync([...argv], { cwd, env });
    if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  }
  const commands = eachInItsOwn(bench, "exec", ["exec"], undefined, ["true"]);
  const [id = ""] = containersBelow(bench.engine, workspaceOf(bench, "exec", "cooper"));
  const { cwd, env } = commands.cooper;
  const bare: MeasuredCommand = { argv: [bench.engine.path, "exec", id, "true"], cwd, env };
  const times = await timeInTurn<Tool | "bare">({ ...commands, bare }, bench.runs);
  const of = (name: Tool | "bare") => timingOf(times.get(name) ?? []);
  const compared = compare("exec true", of("cooper"), of("reference"));
  const limit = 1.5 * of("bare").median;
  const target = `at most 1.5 of the engine's own ${of("bare").median.toFixed(0)} ms`;
  return { ...compared, ...milliseconds, target, met: compared.cooper.median <= limit };
}

/** Removes the containers of all workspaces at or below a folder. */
export function removeContainers(engine: TestEngine, folder: string): void {
  const ids = containersBelow(engine, folder);
  const env = { ...process.env, ...engine.env };
  // Podman would first wait for what ignores SIGTERM.
  if (ids.length > 0) Bun.spawnSync([engine.path, "kill", ...ids], { env });
  if (ids.length > 0) Bun.spawnSync([engine.path, "rm", "--force", "--volumes", ...ids], { env });
}

function containersBelow(engine: TestEngine, folder: string): readonly string[] {
  const format = '{{.ID}} {{.Label "devcontainer.local_folder"}}';
  const args = ["ps", "--all", "--filter", "label=devcontainer.local_folder", "--format", format];
  const list = Bun.spawnSync([engine.path, ...args], { env: { ...process.env, ...engine.env } });
  return list.stdout
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [id = "", of = ""] = line.split(" ");
      return of === folder || of.startsWith(`${folder}/`) ? [id] : [];
    });
}

/** Each tool in a workspace of its own, so that neither finds the other's container. */
function eachInItsOwn(
  bench: Bench,
  name: string,
  [command]: readonly [string],
  prepare: (workspace: string) => void = () => {},
  words: readonly string[] = [],
): Record<Tool, MeasuredCommand> {
  const forTool = (tool: Tool) => {
    const workspace = makeLocalWorkspace(bench.directory, `${name}-${tool}`);
    const args = [command, "--workspace-folder", workspace, ...words];
    return bothTools(bench, args, () => prepare(workspace))[tool];
  };
  return { cooper: forTool("cooper"), reference: forTool("reference") };
}

function workspaceOf(bench: Bench, name: string, tool: Tool): string {
  return makeLocalWorkspace(bench.directory, `${name}-${tool}`);
}
