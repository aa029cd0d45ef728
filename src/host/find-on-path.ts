import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The absolute path of the program that PATH leads to; undefined for none. */
export function findOnPath(name: string, path: string): string | undefined {
  // What a relative entry names depends on the current folder, which may be anybody's.
  return path
    .split(delimiter)
    .filter(isAbsolute)
    .map((directory) => join(directory, name))
    .find((candidate) => {
      try {
        accessSync(candidate, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
