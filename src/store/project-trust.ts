import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { hexOf, sha256Of } from "../oci/digest.ts";
import { stagedPath } from "./staged-path.ts";

/** Whether the user has trusted this very text in this very file; any change of it takes the trust away. */
export function isTrusted(state: string, file: { readonly path: string; readonly text: string }): boolean {
  const record = recordOf(state, file.path);
  return existsSync(record) && readFileSync(record, "utf8").split("\n")[0] === sha256Of(file.text);
}

/** Remembers that the user trusts a file as it is now, for this user alone. */
export function trustFile(state: string, file: { readonly path: string; readonly text: string }): void {
  const record = recordOf(state, file.path);
  // First: whoever else makes a folder on the way makes one that all can read.
  mkdirSync(dirname(record), { recursive: true, mode: 0o700 });
  const staged = stagedPath(record);
  writeFileSync(staged, `${sha256Of(file.text)}\n${placeOf(file.path)}\n`, { mode: 0o600 });
  chmodSync(staged, 0o600);
  renameSync(staged, record);
}

/** Forgets that a file was trusted; false where it was not. */
export function revokeTrust(state: string, path: string): boolean {
  const record = recordOf(state, path);
  if (!existsSync(record)) return false;
  rmSync(record);
  return true;
}

/** The files that were trusted, and whether they still are: not those that changed or went. */
export function listTrusted(state: string): readonly { readonly path: string; readonly trusted: boolean }[] {
  const folder = join(state, "trusted");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(1, -1).join("\n"))
    .toSorted()
    .map((path) => ({
      path,
      trusted: existsSync(path) && isTrusted(state, { path, text: readFileSync(path, "utf8") }),
    }));
}

function recordOf(state: string, path: string): string {
  return join(state, "trusted", hexOf(sha256Of(placeOf(path))));
}

/** The file's place with the folder's links followed, not its own: a link to a trusted file is no trusted file. */
function placeOf(path: string): string {
  const folder = dirname(path);
  return join(existsSync(folder) ? realpathSync(folder) : folder, basename(path));
}
