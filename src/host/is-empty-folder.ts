import { readdirSync, statSync } from "node:fs";

/** Whether an empty folder is at a path: in a file's place it keeps an agent from writing one there, and says nothing. */
export function isEmptyFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true && readdirSync(path).length === 0;
}
