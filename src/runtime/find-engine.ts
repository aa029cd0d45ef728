import { UserError } from "../errors.ts";
import { findOnPath } from "../host/find-on-path.ts";
import type { RunProcess } from "../host/spawn.ts";
import { createEngine, type Engine } from "./engine.ts";
import { UnreachableEngine } from "./engine-failure.ts";

/** Where the choice of an engine came from, strongest first. */
export interface EngineWishes {
  readonly flag: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `docker_path` of the user's own configuration, read only when nothing stronger chose. */
  readonly configured: () => string | undefined;
}

/**
 * The engines to try, best first: the one named by flag, environment or user configuration alone, else docker and podman as PATH
 * has them, but docker alone where the environment says which. Throws UserError when there is none.
 */
export function findEngines(wishes: EngineWishes, runProcess: RunProcess): readonly [Engine, ...Engine[]] {
  const chosen = namedEngine(wishes);
  if (chosen !== undefined) return [createEngine(chosen, runProcess)];
  const [first, ...others] = installedEngines(wishes, runProcess);
  if (first !== undefined) return isPlaced(wishes) && first.path === "docker" ? [first] : [first, ...others];
  throw new UserError("No container engine was found: neither docker nor podman is on PATH.", {
    hint: "Install one (apt-get install podman, dnf install podman, https://docs.docker.com/engine/install), or name it with --docker-path or COOPER_DOCKER_PATH. Containers run on these alone; on Linux, images can be built without them: cooper build --backend native.",
  });
}

/** Docker and podman as PATH has them, best first. */
export function installedEngines({ environment }: EngineWishes, runProcess: RunProcess): readonly Engine[] {
  const path = environment["PATH"] ?? "";
  return ["docker", "podman"]
    .filter((name) => findOnPath(name, path) !== undefined)
    .map((name) => createEngine(name, runProcess));
}

/** Whether the user said which engine it is to be, so that no other can take its place. */
export function isEngineNamed(wishes: EngineWishes): boolean {
  return namedEngine(wishes) !== undefined || isPlaced(wishes);
}

function namedEngine({ flag, environment, configured }: EngineWishes): string | undefined {
  return flag ?? (environment["COOPER_DOCKER_PATH"] || undefined) ?? configured();
}

/** Whoever says where docker is wants that one. */
function isPlaced({ environment }: EngineWishes): boolean {
  return ["DOCKER_HOST", "DOCKER_CONTEXT"].some((name) => (environment[name] ?? "") !== "");
}

/** An engine that answered, and what it answered. */
export interface ReachedEngine<Answer> {
  readonly engine: Engine;
  readonly answer: Answer;
}

/** The first of the engines whose daemon answers `ask`; throws the first one's UnreachableEngine when none does. */
export async function reachEngine<Answer>(
  engines: readonly [Engine, ...Engine[]],
  ask: (engine: Engine) => Promise<Answer>,
): Promise<ReachedEngine<Answer>> {
  const [first, ...others] = engines;
  try {
    return { engine: first, answer: await ask(first) };
  } catch (error) {
    if (!(error instanceof UnreachableEngine)) throw error;
    for (const engine of others) {
      try {
        return { engine, answer: await ask(engine) };
      } catch (otherError) {
        if (!(otherError instanceof UnreachableEngine)) throw otherError;
      }
    }
    throw error;
  }
}
