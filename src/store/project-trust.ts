import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
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
  const staged = stagedPath(record);
  mkdirSync(dirname(record), { recursive: true, mode: 0o700 });
  writeFileSync(staged, `${sha256Of(file.text)}\n${realpathSync(file.path)}\n`, { mode: 0o600 });
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

function recordOf(state: string, path: string): string {
  const real = existsSync(path) ? realpathSync(path) : path;
  return join(state, "trusted", hexOf(sha256Of(real)));
}
