import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { messageOf, UserError } from "../errors.ts";
import { canonicalJson, type JsonObject } from "../json.ts";
import { stagedPath } from "../store/staged-path.ts";

/** The folder of a repository that a build of its profile writes to, from its top. */
export const ARTIFACTS_FOLDER = [".pf_manifest", "image_build"];

/** Writes a file by rename, so that it is whole or as it was; one that reads the same is left alone. */
export function writeArtifact(path: string, text: string): void {
  if (readText(path) === text) return;
  const staged = openStaged(path);
  try {
    staged.write(text);
    staged.finish();
  } finally {
    staged.discard();
  }
}

/** A file that comes to be when it is finished. */
export interface StagedText {
  /** Where it is until then. */
  readonly path: string;
  /** What cannot be written is told of by `finish`: a builder that is being listened to must not be left alone. */
  readonly write: (text: string) => void;
  /** Throws UserError when the file cannot be written, which is then as it was. */
  readonly finish: () => void;
  /** Takes away what was not finished. */
  readonly discard: () => void;
}

/** Begins a file that is to be renamed to `path` when it is whole; throws UserError where it cannot be. */
export function openStaged(path: string): StagedText {
  const attempt = <Result>(act: () => Result): Result => {
    try {
      return act();
    } catch (cause) {
      throw unwritableArtifact(path, cause);
    }
  };
  const staged = stagedPath(path);
  const file = attempt(() => openSync(staged, "wx", 0o644));
  let failure: unknown;
  let open = true;
  const close = () => {
    if (open) closeSync(file);
    open = false;
  };
  return {
    path: staged,
    write: (text) => {
      if (failure !== undefined) return;
      const bytes = new TextEncoder().encode(text);
      try {
        for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
      } catch (cause) {
        failure = cause;
      }
    },
    finish: () => {
      if (!open) return;
      attempt(() => {
        if (failure !== undefined) throw failure;
        fsyncSync(file);
        close();
        renameSync(staged, path);
      });
    },
    discard: () => {
      close();
      rmSync(staged, { force: true });
    },
  };
}

function unwritableArtifact(path: string, cause: unknown): UserError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new UserError(`Could not write ${path}: the disk is full.`, {
        hint: "Free some space and run the same command again.",
        cause,
      });
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new UserError(`Could not write ${path}: ${code === "EROFS" ? "it is read-only" : "permission denied"}.`, {
        hint: "cooper keeps what it writes of a repository in its .pf_manifest: make that writable, or copy the repository.",
        cause,
      });
    default:
      return new UserError(`Could not write ${path}: ${messageOf(cause)}.`, { cause });
  }
}

/** What a build of a profile came to, for those who read it later. */
export interface ProfileManifest {
  readonly image_tag: string;
  readonly profile_id: string;
  readonly reused_cache: boolean;
  readonly build_variant: string;
  readonly builder_used: boolean;
  readonly archive_used: boolean;
  readonly apt_security_mode: string;
  readonly python_version_target: string | null;
  readonly base_image_tag: string;
  readonly base_image_digest: string | null;
  readonly policy_profile: string | null;
}

/** Writes `manifest.json`, keys sorted. */
export function writeManifest(folder: string, manifest: ProfileManifest): void {
  const sorted: JsonObject = JSON.parse(canonicalJson({ ...manifest }));
  writeArtifact(join(folder, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
}

const earlierManifest = v.object({ base_image_tag: v.string(), base_image_digest: v.nullable(v.string()) });

/** The digest that an earlier build found for a base image; undefined when there is none. */
export function earlierBaseDigest(repository: string, baseImage: string): string | undefined {
  try {
    const text = readFileSync(join(repository, ...ARTIFACTS_FOLDER, "manifest.json"), "utf8");
    const { base_image_tag, base_image_digest } = v.parse(earlierManifest, JSON.parse(text));
    return base_image_tag === baseImage ? (base_image_digest ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes a folder of cooper's own in a repository; throws UserError where that may not be written to, or something else is in the way, a
 * link above all, through which a cloned repository would have files written elsewhere.
 */
export function makeOwnFolder(repository: string, names: readonly string[]): string {
  return names.reduce((parent, name) => {
    const folder = join(parent, name);
    try {
      mkdirSync(folder, { recursive: true });
    } catch (cause) {
      throw unwritableArtifact(folder, cause);
    }
    if (lstatSync(folder).isDirectory()) return folder;
    throw new UserError(`${folder} is a link, and not the folder that cooper would write to.`, {
      hint: "Remove it.",
    });
  }, repository);
}

/** A file's text; undefined when there is none that can be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
