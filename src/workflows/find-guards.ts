import { accessSync, constants, lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { readGitConfig } from "../agent/git-config.ts";
import type { GuardedPath } from "../plan/plan-agent-container.ts";

/** A path of a workspace that an agent must not change, and what is put there before it starts where there is nothing. */
export interface Guard extends GuardedPath {
  readonly placeholder: Placeholder | undefined;
}

/** `content` is undefined for an empty folder. */
export interface Placeholder {
  readonly content: string | undefined;
}

/** What is guarded, and what cannot be: symlinks, in whose place an agent can put something else. */
export interface Guards {
  readonly guards: readonly Guard[];
  readonly links: readonly string[];
}

/**
 * Names of a project that decide what an agent may do, or what this machine runs. Where there is none an empty folder keeps the place,
 * also of a file: git does not see it, and nobody takes it for the file.
 */
const FILE_NAMES = [".devcontainer.json", "cooper.jsonc", "ocx.json", "ocx.env"];

/** The same folder: git reads it and nothing changes. With another folder here, that one's hooks and configuration would count. */
export const SAME_FOLDER = ".\n";

const EMPTY_FOLDER: Placeholder = { content: undefined };

/** What of a workspace can make this machine run something, or decide what an agent may do; nothing is changed by looking. */
export function findGuards(workspace: string): Guards {
  const search: Search = { workspace, guards: new Map(), links: new Set(), seen: new Set() };
  for (const name of [".devcontainer", ...FILE_NAMES]) guard(search, name, EMPTY_FOLDER);
  guardWorktree(search, "");
  const guards = [...search.guards.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { guards, links: [...search.links].toSorted() };
}

interface Search {
  readonly workspace: string;
  readonly guards: Map<string, Guard>;
  readonly links: Set<string>;
  /** Folders of git's, and checked out by it, that were looked into. */
  readonly seen: Set<string>;
}

/** Guards a path, relative to the workspace; where there is nothing, only if a placeholder is given. */
function guard(search: Search, path: string, placeholder: Placeholder | undefined): void {
  const found = plainly(search, path);
  if (found === "elsewhere") return;
  if (found === undefined) {
    // Without its folder there is nowhere for a placeholder.
    const parent = posix.dirname(path);
    if (placeholder === undefined || (parent !== "." && !isFolder(plainly(search, parent)))) return;
    // The agent has the caller's ids: it cannot write there either.
    if (!isWritable(join(search.workspace, parent))) return;
    const kind = placeholder.content === undefined ? "directory" : "file";
    search.guards.set(path, { path, kind, placeholder });
    return;
  }
  const left = isLeft(search, { path, found }) ? placeholder : undefined;
  if (found.isFile()) search.guards.set(path, { path, kind: "file", placeholder: left });
  if (found.isDirectory()) search.guards.set(path, { path, kind: "directory", placeholder: left });
}

/** Whether what is there is a placeholder that a run left because it was killed. */
function isLeft({ workspace }: Search, { path, found }: { readonly path: string; readonly found: Stats }): boolean {
  const place = join(workspace, path);
  if (found.isDirectory()) return FILE_NAMES.includes(path) && readdirSync(place).length === 0;
  const isSmall = path.endsWith("/commondir") && found.size === SAME_FOLDER.length;
  return isSmall && readFileSync(place, "utf8") === SAME_FOLDER;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What is at a path, if no link leads there; links are noted. */
function plainly({ workspace, links }: Search, path: string): Stats | "elsewhere" | undefined {
  const parts = path.split("/");
  for (const [index] of parts.entries()) {
    const place = parts.slice(0, index + 1).join("/");
    const found = lstatSync(join(workspace, place), { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true) {
      links.add(place);
      return "elsewhere";
    }
    if (found === undefined || index === parts.length - 1) return found;
    if (!found.isDirectory()) return "elsewhere";
  }
  return undefined;
}

function isFolder(found: Stats | "elsewhere" | undefined): boolean {
  return found !== undefined && found !== "elsewhere" && found.isDirectory();
}

/** A folder that git may have checked out, and the submodules in it; the empty path is the workspace. */
function guardWorktree(search: Search, folder: string): void {
  if (search.seen.has(folder)) return;
  search.seen.add(folder);
  const git = posix.join(folder, ".git");
  const found = plainly(search, git);
  if (found === undefined || found === "elsewhere") return;
  // Of a submodule or a worktree: names git's folder.
  if (found.isFile()) guard(search, git, undefined);
  if (found.isDirectory()) guardRepository(search, { git, worktree: folder });
  for (const { name, value } of settingsIn(search, posix.join(folder, ".gitmodules"))) {
    const path = posix.normalize(posix.join(folder, value));
    const isBelow = !value.startsWith("/") && path !== folder && isInWorkspace(path);
    if (name === "submodule.path" && isBelow && path !== ".") guardWorktree(search, path);
  }
}

/** Git's own folder of a repository: its hooks and configuration, those that they name, and the repositories in it. */
function guardRepository(
  search: Search,
  { git, worktree }: { readonly git: string; readonly worktree: string | undefined },
): void {
  const head = plainly(search, posix.join(git, "HEAD"));
  if (head === undefined || head === "elsewhere") return;
  if (search.seen.has(git)) return;
  search.seen.add(git);
  guard(search, posix.join(git, "hooks"), EMPTY_FOLDER);
  guard(search, posix.join(git, "commondir"), { content: SAME_FOLDER });
  const files = [posix.join(git, "config")];
  let place = worktree;
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    if (search.guards.has(file)) continue;
    guard(search, file, { content: "" });
    for (const { name, value } of settingsIn(search, file)) {
      if (name === "core.worktree") [place] = inWorkspace(search, { folder: git, value });
      if (name === "include.path" || name === "includeif.path")
        files.push(...inWorkspace(search, { folder: posix.dirname(file), value }));
      if (name === "core.hookspath" && place !== undefined)
        for (const path of inWorkspace(search, { folder: place, value })) guard(search, path, EMPTY_FOLDER);
      if (name === "extensions.worktreeconfig" && value !== "false") files.push(posix.join(git, "config.worktree"));
    }
  }
  for (const name of foldersIn(search, posix.join(git, "worktrees"))) {
    for (const file of ["commondir", "gitdir", "config.worktree"])
      guard(search, posix.join(git, "worktrees", name, file), undefined);
  }
  guardModules(search, posix.join(git, "modules"));
}

/** Submodules' repositories, whose names may have folders. */
function guardModules(search: Search, folder: string): void {
  for (const name of foldersIn(search, folder)) {
    const path = posix.join(folder, name);
    const head = plainly(search, posix.join(path, "HEAD"));
    if (head === undefined || head === "elsewhere" || head.isDirectory()) guardModules(search, path);
    else guardRepository(search, { git: path, worktree: undefined });
  }
}

function settingsIn({ workspace }: Search, file: string) {
  const place = join(workspace, file);
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size > 1024 * 1024) return [];
  return readGitConfig(readFileSync(place, "utf8"));
}

/** The path of the workspace that a setting names, if it is one. */
function inWorkspace(
  { workspace }: Search,
  { folder, value }: { readonly folder: string; readonly value: string },
): string[] {
  const absolute = posix.resolve(workspace, folder, value);
  const path = posix.relative(workspace, absolute);
  return value === "" || value.startsWith("~") || path === "" || !isInWorkspace(path) ? [] : [path];
}

function isInWorkspace(path: string): boolean {
  return path !== ".." && !path.startsWith("../") && !path.startsWith("/");
}

function foldersIn(search: Search, folder: string): string[] {
  if (!isFolder(plainly(search, folder))) return [];
  return readdirSync(join(search.workspace, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}
