import type { RepoProfile } from "./repo-profile.ts";

const DEFAULT_PYTHON = "3.11";

/**
 * The version for `python:<version>-slim` that a target means: an exact one itself, else the first X.Y.Z in it, the first X.Y, the
 * first number as X.0, else 3.11. So a specifier's first bound counts.
 */
export function selectPythonVersion(target: string | null): string {
  const written = (target ?? "").trim();
  if (/^\d+\.\d+(?:\.\d+)?$/.test(written)) return written;
  const found = /\d+\.\d+\.\d+/.exec(written)?.[0] ?? /\d+\.\d+/.exec(written)?.[0];
  if (found !== undefined) return found;
  const major = /\d+/.exec(written)?.[0];
  return major === undefined ? DEFAULT_PYTHON : `${major}.0`;
}

/** The base image of a profile: the one that is wished for, the one it names, else its language's official slim one. */
export function profileBaseImage(profile: RepoProfile, wished?: string): string {
  const named = wished ?? profile.base_image ?? undefined;
  if (named !== undefined) return named;
  switch (profile.language) {
    case "python":
      return `python:${selectPythonVersion(profile.python_version_target)}-slim`;
    case "node":
      return "node:lts-slim";
    case "go":
      // There is no slim one of Go.
      return "golang:1-bookworm";
    case "rust":
      return "rust:1-slim";
  }
}
