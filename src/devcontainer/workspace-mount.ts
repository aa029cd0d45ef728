import { basename, dirname, join, normalize, relative, resolve } from "node:path/posix";
import type { DevContainerConfig } from "./schema.ts";

/** What is asked of the host's file system; paths are absolute. */
export interface FileFacts {
  readonly exists: (path: string) => boolean;
  readonly isDirectory: (path: string) => boolean;
  /** Undefined for what cannot be read as a file. */
  readonly readText: (path: string) => string | undefined;
}

/** How a workspace is to be mounted, as far as the configuration does not say. */
export interface MountWishes {
  /** Absolute. */
  readonly workspaceFolder: string;
  /** Whether the whole repository is mounted when the workspace is a folder of one. */
  readonly gitRoot: boolean;
  /** Whether a worktree gets the repository that it belongs to as well; only together with `gitRoot`. */
  readonly worktreeCommonDirectory: boolean;
  /** Left out on Linux, which knows no other than `consistent`. */
  readonly consistency: string | undefined;
  /** The host's, as Node names it. */
  readonly platform: string;
}

/** Where a workspace is in its container, and the `--mount` values that bring it there. */
export interface WorkspaceMount {
  /** Empty for a configuration that belongs to no workspace and names no folder. */
  readonly workspaceFolder: string;
  /** Empty where the configuration wants none; undefined in Compose mode, where the Compose files mount. */
  readonly workspaceMount: string | undefined;
  /** The common directory of a worktree's repository. */
  readonly additionalMount: string | undefined;
}

/** The mounts of a workspace: the configuration's own words where it has them, else the workspace (or its repository) below `/workspaces`. */
export function workspaceMountOf(
  config: Pick<DevContainerConfig, "workspaceFolder" | "workspaceMount" | "dockerComposeFile">,
  wishes: MountWishes,
  files: FileFacts,
): WorkspaceMount {
  const { workspaceFolder, workspaceMount } = config;
  if (config.dockerComposeFile !== undefined) {
    return { workspaceFolder: workspaceFolder ?? "/", workspaceMount, additionalMount: undefined };
  }
  if (workspaceFolder !== undefined && workspaceMount !== undefined) {
    return { workspaceFolder, workspaceMount, additionalMount: undefined };
  }
  const usual = usualMount(wishes, files);
  return {
    workspaceFolder: workspaceFolder ?? usual.workspaceFolder,
    workspaceMount: workspaceMount ?? usual.workspaceMount,
    additionalMount: usual.additionalMount,
  };
}

function usualMount(wishes: MountWishes, files: FileFacts): WorkspaceMount {
  const root = wishes.gitRoot ? gitRoot(wishes.workspaceFolder, files) : undefined;
  const source = root ?? wishes.workspaceFolder;
  const worktree = root !== undefined && wishes.worktreeCommonDirectory ? worktreePlaces(root, files) : undefined;
  const target = worktree?.target ?? join("/workspaces", basename(source));
  return {
    workspaceFolder: join(target, relative(source, wishes.workspaceFolder)),
    workspaceMount: bindMount({ source, target }, wishes),
    additionalMount: worktree === undefined ? undefined : bindMount(worktree.common, wishes),
  };
}

/**
 * The repository that a folder is in. What git itself would not take for a repository (an empty `.git`) is passed by; unlike git, it
 * goes by the path as written, so that a linked folder is not searched for above its target, and asks neither the owner nor GIT_*.
 */
function gitRoot(folder: string, files: FileFacts): string | undefined {
  const entry = join(folder, ".git");
  const found = files.isDirectory(entry)
    ? files.exists(join(entry, "HEAD"))
    : gitDirectoryOf(folder, files) !== undefined;
  if (found) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : gitRoot(parent, files);
}

/** Where the `.git` file of a worktree or submodule points to, as written. */
function gitDirectoryOf(folder: string, files: FileFacts): string | undefined {
  return /^gitdir:[ \t]*([^\r\n]+)/.exec(files.readText(join(folder, ".git")) ?? "")?.[1];
}

type Places = { readonly source: string; readonly target: string };

/** Host and container keep the same way from the worktree to its repository, so that the relative path in `.git` holds in both. */
function worktreePlaces(root: string, files: FileFacts): { target: string; common: Places } | undefined {
  const pointer = gitDirectoryOf(root, files);
  // An absolute path means nothing in the container, wherever the repository is mounted.
  if (pointer === undefined || files.isDirectory(join(root, ".git")) || pointer.startsWith("/")) return undefined;
  const source = resolve(root, pointer, "../..");
  const target = join("/workspaces", relative(commonAncestor(root, source), root));
  return { target, common: { source, target: normalize(join(target, pointer, "../..")) } };
}

function commonAncestor(folder: string, inside: string): string {
  const below = folder === "/" ? "/" : `${folder}/`;
  return inside.startsWith(below) ? folder : commonAncestor(dirname(folder), inside);
}

function bindMount({ source, target }: Places, { consistency, platform }: MountWishes): string {
  const suffix = platform === "linux" ? "" : `,consistency=${consistency ?? "consistent"}`;
  return `type=bind,${mountField("source", source)},${mountField("target", target)}${suffix}`;
}

/** A field of a `--mount` value, which engines read as one line of CSV. */
export function mountField(name: string, value: string): string {
  const field = `${name}=${value}`;
  return /[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
