import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Younger ones may be of a run that is at work; a download that is silent for long ends by itself. */
const abandonedAfter = 60 * 60 * 1000;

/** Removes what runs that were killed left half written in a folder of agents: `<agent>/<version>/.<name>.partial`. */
export function sweepStaged(root: string, now: number): void {
  for (const agent of foldersIn(root)) {
    for (const version of foldersIn(join(root, agent))) {
      const folder = join(root, agent, version);
      const staged = namesIn(folder).filter((name) => name.startsWith(".") && name.endsWith(".partial"));
      for (const name of staged) {
        const path = join(folder, name);
        if (now - lastTouched(path) > abandonedAfter) rmSync(path, { recursive: true, force: true });
      }
    }
  }
}

function foldersIn(folder: string): string[] {
  return namesIn(folder).filter(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true,
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there, or gone meanwhile.
    return [];
  }
}

function lastTouched(path: string): number {
  const times = [path, ...namesIn(path).map((name) => join(path, name))].map(
    (place) => statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...times);
}
