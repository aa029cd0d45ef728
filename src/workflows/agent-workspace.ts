import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type DataOwner, dataVolumesName, remoteOf } from "../agent/data-volumes.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { UserError } from "../errors.ts";
import type { GuardedPath } from "../plan/plan-agent-container.ts";
import { isInside } from "./load-agent-settings.ts";
import type { Tools } from "./tools.ts";

/** The folder that an agent is let loose on, links followed. Throws UserError for none, and for one that holds the user's home. */
export function agentWorkspace(tools: Tools): string {
  const written = tools.environment["OCX_WORKSPACE"] || tools.workingDirectory;
  if (statSync(written, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UserError(`OCX_WORKSPACE ${written} is not a folder.`);
  }
  const workspace = realpathSync(written);
  const home = existsSync(tools.homeDirectory) ? realpathSync(tools.homeDirectory) : tools.homeDirectory;
  if (workspace === "/" || home === workspace || home.startsWith(`${workspace}/`)) {
    throw new UserError(
      `An agent is not let into ${workspace}: your home directory, with all that is in it, is there.`,
      {
        hint: "Go to the folder of a project first.",
      },
    );
  }
  return workspace;
}

/**
 * The forbidden paths of a workspace that are there, links followed, each once. Throws UserError for one that leads out of the
 * workspace, as what is outside is not there anyway.
 */
export function forbiddenPaths(workspace: string, settings: AgentSettings): readonly GuardedPath[] {
  const places = new Map<string, GuardedPath>();
  for (const written of settings.forbidden_paths ?? []) {
    if (!isInside(workspace, written)) {
      throw new UserError(`forbidden_paths: ${JSON.stringify(written)} leads out of the workspace ${workspace}.`, {
        hint: "Nothing outside of it is in the container. Name files and folders below it.",
      });
    }
    const found = statSync(join(workspace, written), { throwIfNoEntry: false });
    if (found === undefined) continue;
    const path = realpathSync(join(workspace, written)).slice(workspace.length + 1);
    if (path === "") throw new UserError(`forbidden_paths: ${JSON.stringify(written)} is the workspace itself.`);
    places.set(path, { path, kind: found.isDirectory() ? "directory" : "file" });
  }
  return [...places.values()];
}

/** What an agent's data volumes are called, if it gets any. */
export function dataVolumes(workspace: string, settings: AgentSettings): string | undefined {
  if (settings.data_volumes_mode === "never") return undefined;
  if (settings.data_volumes_name !== null) return settings.data_volumes_name;
  const owner = ownerOf(workspace, settings.data_volumes_mode === "always");
  return owner === undefined ? undefined : dataVolumesName(owner);
}

function ownerOf(workspace: string, always: boolean): DataOwner | undefined {
  for (let folder = workspace; ; folder = dirname(folder)) {
    const git = statSync(join(folder, ".git"), { throwIfNoEntry: false });
    if (git !== undefined) return { kind: "repository", url: remoteIn(join(folder, ".git")), root: folder };
    if (folder === dirname(folder)) return always ? { kind: "folder", path: workspace } : undefined;
  }
}

/** A worktree's `.git` is a file that names its folder in the repository. */
function remoteIn(git: string): string | undefined {
  const place = statSync(git).isDirectory()
    ? git
    : /^gitdir: (.*?)(?:\/worktrees\/[^/]+)?\s*$/m.exec(readFileSync(git, "utf8"))?.[1];
  if (place === undefined) return undefined;
  const config = join(place, "config");
  return existsSync(config) ? remoteOf(readFileSync(config, "utf8")) : undefined;
}
