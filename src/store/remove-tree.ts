import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from "node:fs";
import { messageOf, UserError } from "../errors.ts";

/** Characters below the root, of up to three bytes each: far enough from the longest path that the system takes. */
const longestPath = 1000;

/**
 * Removes a folder or file and all in it, whatever modes its directories have, without following a link; nothing there is
 * as good. Throws a UserError that names what remains and why.
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  } catch {
    // Step by step, then: that opens directories that are closed, and tells what is in the way.
  }
  remove(path, { root: path, moved: [], count: 0 });
}

type Removal = {
  readonly root: string;
  /** Directories that were moved up to the root because their paths got too long. */
  readonly moved: string[];
  count: number;
};

function remove(path: string, removal: Removal): void {
  attempt(path, () => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      unlinkSync(path);
      return;
    }
    if ((stats.mode & 0o700) !== 0o700) chmodSync(path, 0o700);
    if (path.length > removal.root.length + longestPath) {
      moveUp(path, removal);
      return;
    }
    for (const name of readdirSync(path)) remove(`${path}/${name}`, removal);
    if (path === removal.root) {
      for (let next = removal.moved.pop(); next !== undefined; next = removal.moved.pop()) remove(next, removal);
    }
    rmdirSync(path);
  });
}

function moveUp(path: string, removal: Removal): void {
  removal.count += 1;
  const place = `${removal.root}/.deep-${removal.count}`;
  // What has the name already goes first: it is to be removed as well.
  remove(place, removal);
  renameSync(path, place);
  removal.moved.push(place);
}

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`Could not remove ${path}: ${messageOf(cause)}.`, {
      hint: "It may be a mount point, or be protected (chattr): see to that, and remove it by hand.",
      cause,
    });
  }
}
