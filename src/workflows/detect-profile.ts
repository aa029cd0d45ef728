import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf, UserError } from "../errors.ts";
import { detectProfile } from "../profile/detect-profile.ts";
import type { DetectionRequest } from "../profile/detection-request.ts";
import { profileIdOf, type WrittenProfile } from "../profile/repo-profile.ts";
import type { Tools } from "./tools.ts";

/** A profile in its wrapper, as `repo_profile.json` has it. */
export interface DetectedProfile {
  readonly profile_id: string;
  readonly profile: WrittenProfile;
  readonly profile_runtime: { readonly working_dir_abs: string; readonly repo_dir_abs: string };
}

/** Reads the files at the top of a folder and writes its profile; throws UserError for a folder that is not there. */
export function detectRepositoryProfile(
  request: DetectionRequest,
  tools: Pick<Tools, "workingDirectory">,
): DetectedProfile {
  const folder = resolve(tools.workingDirectory, request.repo_dir);
  const pythonVersion = request.explicit_python_version ?? undefined;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UserError(`${folder} is not a folder.`, { hint: "Name the repository to write the profile of." });
  }
  const names = readdirSync(folder).sort();
  const read = (name: string) => readRegularFile(join(folder, name));
  const facts = { names, read, readToml: (name: string) => parseToml(read(name), name), pythonVersion };
  const profile = detectProfile(facts, request.overrides ?? undefined);
  const absolute = realpathSync(folder);
  return {
    profile_id: profileIdOf(profile),
    profile,
    profile_runtime: { working_dir_abs: absolute, repo_dir_abs: absolute },
  };
}

function readRegularFile(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  return readFileSync(path, "utf8");
}

function parseToml(text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined;
  try {
    return Bun.TOML.parse(text);
  } catch (cause) {
    throw new UserError(`${name} is not TOML: ${messageOf(cause)}.`, { cause });
  }
}
