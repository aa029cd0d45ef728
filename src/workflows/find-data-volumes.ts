import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import * as v from "valibot";
import { dataVolumesOf, VOLUMES_LABEL } from "../agent/data-volumes.ts";
import { UserError } from "../errors.ts";
import { AGENT_WORKSPACE_LABEL } from "../plan/plan-agent-container.ts";
import type { Engine } from "../runtime/engine.ts";
import { reachEngine } from "../runtime/find-engine.ts";
import { readVolumeSizes, volumeSizesArgs } from "../runtime/volume-sizes.ts";
import { dataVolumes } from "./agent-workspace.ts";
import { loadAgentSettings } from "./load-agent-settings.ts";
import { engineCandidates } from "./open-engine.ts";
import type { Tools } from "./tools.ts";

/** A volume of the engine's in which agents keep caches and logins. */
export interface DataVolume {
  readonly name: string;
  /** What the names of the project's volumes begin with. */
  readonly project: string;
  /** The folder that it was made for; null for one that was made before volumes were labelled. */
  readonly workspaceFolder: string | null;
  /** Names of the containers that have it, running or not. */
  readonly usedBy: readonly string[];
}

/** Which volumes are meant: those of this folder's project, or of all. */
export interface VolumesQuestion {
  readonly all: boolean;
  readonly dockerPath: string | undefined;
}

/** Volumes, and the engine that has them. */
export interface DataVolumes {
  readonly engine: Engine;
  readonly volumes: readonly DataVolume[];
}

const inspectionSchema = v.array(
  v.object({ Name: v.string(), Labels: v.nullish(v.record(v.string(), v.string()), {}) }),
);

/** Cooper's data volumes: those with its label and, of this project, those that have the names it would give them, by name. */
export async function findDataVolumes({ all, dockerPath }: VolumesQuestion, tools: Tools): Promise<DataVolumes> {
  const project = projectOf(tools);
  const label = all ? VOLUMES_LABEL : `${VOLUMES_LABEL}=${project ?? ""}`;
  const { engine, answer } = await reachEngine(engineCandidates(dockerPath, tools), async (candidate) => {
    const [known, labelled] = await Promise.all([
      volumeNames(candidate, []),
      all || project !== undefined ? volumeNames(candidate, ["--filter", `label=${label}`]) : [],
    ]);
    const expected = project === undefined ? [] : dataVolumesOf(project).map(({ name }) => name);
    const names = new Set([...labelled, ...expected.filter((name) => known.includes(name))]);
    return Promise.all([inspectVolumes(candidate, [...names]), usersOf(candidate, [...names])]);
  });
  const [inspected, users] = answer;
  const volumes = inspected.map(({ Name: name, Labels: labels }) => ({
    name,
    project: labels[VOLUMES_LABEL] ?? project ?? "",
    workspaceFolder: labels[AGENT_WORKSPACE_LABEL] ?? null,
    usedBy: users.get(name) ?? [],
  }));
  return { engine, volumes: volumes.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** The sizes that the engine tells, as it writes them; none where it tells none. */
export async function sizesOf({ engine }: DataVolumes): Promise<ReadonlyMap<string, string>> {
  for (const args of volumeSizesArgs()) {
    const { exitCode, stdout } = await engine.ask(args);
    if (exitCode === 0) return readVolumeSizes(stdout);
  }
  return new Map();
}

/** Removes volumes of cooper's by name; tells which. Throws UserError, and removes none, for one in use and one that is not cooper's. */
export async function removeDataVolumes(
  names: readonly string[],
  question: Pick<VolumesQuestion, "dockerPath">,
  tools: Tools,
): Promise<readonly string[]> {
  const { engine, volumes } = await findDataVolumes({ ...question, all: true }, tools);
  const wanted = [...new Set(names)];
  const known = await volumeNames(engine, []);
  const foreign = wanted.find((name) => known.includes(name) && volumes.every((volume) => volume.name !== name));
  if (foreign !== undefined) {
    throw new UserError(`The volume ${foreign} is none of cooper's data volumes.`, {
      hint: "cooper volume list --all shows those; the engine's own volume rm removes others.",
    });
  }
  const there = volumes.filter(({ name }) => wanted.includes(name));
  const used = there.find(({ usedBy }) => usedBy.length > 0);
  if (used !== undefined) {
    throw new UserError(`The volume ${used.name} is in use by ${used.usedBy.join(", ")}.`, {
      hint: "End the agent first: cooper agent stop --all",
    });
  }
  await removeVolumes(there, engine);
  return there.map(({ name }) => name);
}

/** Removes volumes that nothing uses. */
export async function removeVolumes(volumes: readonly DataVolume[], engine: Engine): Promise<void> {
  if (volumes.length === 0) return;
  await engine.run({ file: engine.path, args: ["volume", "rm", ...volumes.map(({ name }) => name)], env: {} });
}

/** What this folder's volumes are called by, also where the settings want none any more; undefined outside of a repository. */
function projectOf(tools: Tools): string | undefined {
  const written = resolve(tools.workingDirectory, tools.environment["OCX_WORKSPACE"] || ".");
  const workspace = existsSync(written) ? realpathSync(written) : written;
  const { settings } = loadAgentSettings(workspace, tools);
  const mode = settings.data_volumes_mode === "never" ? "git" : settings.data_volumes_mode;
  return dataVolumes(workspace, { ...settings, data_volumes_mode: mode });
}

async function volumeNames(engine: Engine, filters: readonly string[]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await engine.ask(["volume", "ls", "--quiet", ...filters]);
  if (exitCode === 0) return stdout.split("\n").filter((name) => name !== "");
  // Tells an engine that does not answer from one that refuses.
  await engine.inspectImages([]);
  throw new UserError(`Could not list the engine's volumes: ${stderr.trim()}`);
}

/** One that was removed meanwhile is missing from the answer. */
async function inspectVolumes(engine: Engine, names: readonly string[]) {
  if (names.length === 0) return [];
  const { stdout } = await engine.ask(["volume", "inspect", ...names]);
  return v.parse(inspectionSchema, JSON.parse(stdout.trim() === "" ? "[]" : stdout));
}

async function usersOf(engine: Engine, names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const answers = await Promise.all(
    names.map(async (name) => {
      const { stdout } = await engine.ask(["ps", "-a", "--filter", `volume=${name}`, "--format", "{{.Names}}"]);
      return [name, stdout.split("\n").filter((line) => line !== "")] as const;
    }),
  );
  return new Map(answers);
}
