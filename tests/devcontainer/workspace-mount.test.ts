import { expect, test } from "bun:test";
import { type FileFacts, type MountWishes, workspaceMountOf } from "../../src/devcontainer/workspace-mount.ts";

/** A host with these files; a path is a folder when something is below it. */
function hostWith(files: Readonly<Record<string, string>>): FileFacts {
  const isDirectory = (path: string) => Object.keys(files).some((file) => file.startsWith(`${path}/`));
  return { isDirectory, exists: (path) => path in files || isDirectory(path), readText: (path) => files[path] };
}

const HOST = hostWith({
  "/src/repo/.git/HEAD": "ref: refs/heads/main\n",
  "/src/repo/sub/x": "",
  "/src/wts/a/.git": "gitdir: ../../repo/.git/worktrees/a\n",
  "/src/b/.git": "gitdir: ../repo/.git/worktrees/b\r\n",
  "/src/b/sub/x": "",
  "/src/absolute/.git": "gitdir: /src/repo/.git/worktrees/absolute\n",
  "/src/repo/inner/.git": "gitdir: ../.git/worktrees/inner\n",
  "/src/bare.git/wt/.git": "gitdir: ../worktrees/wt\n",
  "/no/.git/config": "",
  "/no/p/x": "",
});

function mountOf(
  workspaceFolder: string,
  options: { config?: Parameters<typeof workspaceMountOf>[0]; wishes?: Partial<MountWishes> } = {},
) {
  const wishes = {
    workspaceFolder,
    gitRoot: true,
    worktreeCommonDirectory: false,
    consistency: undefined,
    platform: "linux",
    ...options.wishes,
  };
  return workspaceMountOf(options.config ?? {}, wishes, HOST);
}

const worktree = { worktreeCommonDirectory: true };
const plain = (source: string, target: string) => `type=bind,source=${source},target=${target}`;

test("a folder of a repository is reached through a mount of the whole repository", () => {
  expect(mountOf("/src/repo/sub")).toEqual({
    workspaceFolder: "/workspaces/repo/sub",
    workspaceMount: plain("/src/repo", "/workspaces/repo"),
    additionalMount: undefined,
  });
});

test("without the git root the folder itself is mounted, and no worktree's repository", () => {
  expect(mountOf("/src/b/sub", { wishes: { gitRoot: false, ...worktree } })).toEqual({
    workspaceFolder: "/workspaces/sub",
    workspaceMount: plain("/src/b/sub", "/workspaces/sub"),
    additionalMount: undefined,
  });
});

test("a .git that git would not take for a repository is passed by", () => {
  expect(mountOf("/no/p").workspaceMount).toBe(plain("/no/p", "/workspaces/p"));
});

test("a folder outside any repository is mounted as it is, the root of the file system too", () => {
  expect(mountOf("/other/p").workspaceMount).toBe(plain("/other/p", "/workspaces/p"));
  expect(mountOf("/").workspaceMount).toBe(plain("/", "/workspaces"));
});

/** What the reference CLI 0.89 answered for the same layout. */
const WORKTREES = [
  ["/src/b", "/workspaces/b", "/src/b:/workspaces/b", "/src/repo/.git:/workspaces/repo/.git"],
  ["/src/b/sub", "/workspaces/b/sub", "/src/b:/workspaces/b", "/src/repo/.git:/workspaces/repo/.git"],
  ["/src/wts/a", "/workspaces/wts/a", "/src/wts/a:/workspaces/wts/a", "/src/repo/.git:/workspaces/repo/.git"],
  ["/src/repo/inner", "/workspaces/inner", "/src/repo/inner:/workspaces/inner", "/src/repo/.git:/workspaces/.git"],
  [
    "/src/bare.git/wt",
    "/workspaces/bare.git/wt",
    "/src/bare.git/wt:/workspaces/bare.git/wt",
    "/src/bare.git:/workspaces/bare.git",
  ],
] as const;

for (const [folder, workspaceFolder, mount, common] of WORKTREES) {
  test(`the worktree ${folder} keeps its way to the repository in the container`, () => {
    const text = (places: string) => plain(places.split(":")[0] ?? "", places.split(":")[1] ?? "");
    expect(mountOf(folder, { wishes: worktree })).toEqual({
      workspaceFolder,
      workspaceMount: text(mount),
      additionalMount: text(common),
    });
  });
}

test("a worktree is mounted alone unless its repository is asked for, or when it names that by an absolute path", () => {
  expect(mountOf("/src/wts/a")).toEqual({
    workspaceFolder: "/workspaces/a",
    workspaceMount: plain("/src/wts/a", "/workspaces/a"),
    additionalMount: undefined,
  });
  expect(mountOf("/src/absolute", { wishes: worktree }).additionalMount).toBeUndefined();
});

test("a repository that is no worktree has no other to mount", () => {
  expect(mountOf("/src/repo", { wishes: worktree }).additionalMount).toBeUndefined();
});

test("off Linux every mount says its consistency", () => {
  const mac = { platform: "darwin" };
  expect(mountOf("/src/repo", { wishes: mac }).workspaceMount).toEndWith("/workspaces/repo,consistency=consistent");
  const cached = mountOf("/src/b", { wishes: { ...mac, ...worktree, consistency: "cached" } });
  expect(cached.workspaceMount).toEndWith(",consistency=cached");
  expect(cached.additionalMount).toEndWith(",consistency=cached");
  expect(mountOf("/src/b", { wishes: { consistency: "cached" } }).workspaceMount).not.toContain("consistency");
});

test("a path with a comma or a quote stays one field", () => {
  expect(mountOf("/com,ma/x,y").workspaceMount).toBe('type=bind,"source=/com,ma/x,y","target=/workspaces/x,y"');
  expect(mountOf('/q"s/x').workspaceMount).toBe('type=bind,"source=/q""s/x",target=/workspaces/x');
});

test("the configuration's workspaceFolder and workspaceMount count each for itself", () => {
  expect(mountOf("/src/repo", { config: { workspaceFolder: "/w" } })).toEqual({
    workspaceFolder: "/w",
    workspaceMount: plain("/src/repo", "/workspaces/repo"),
    additionalMount: undefined,
  });
  expect(mountOf("/src/repo", { config: { workspaceMount: "type=tmpfs,target=/t" } })).toEqual({
    workspaceFolder: "/workspaces/repo",
    workspaceMount: "type=tmpfs,target=/t",
    additionalMount: undefined,
  });
});

test("an empty workspaceMount stays empty: nothing is mounted", () => {
  expect(mountOf("/src/repo", { config: { workspaceMount: "" } }).workspaceMount).toBe("");
});

test("with both given, no repository is looked for", () => {
  const config = { workspaceFolder: "/w", workspaceMount: "type=bind,source=/x,target=/w" };
  expect(mountOf("/src/b", { config, wishes: worktree })).toEqual({ ...config, additionalMount: undefined });
});

test("in Compose mode nothing is mounted and the folder is / unless the configuration says otherwise", () => {
  const compose = { dockerComposeFile: "compose.yml" };
  expect(mountOf("/src/repo", { config: compose })).toEqual({
    workspaceFolder: "/",
    workspaceMount: undefined,
    additionalMount: undefined,
  });
  expect(mountOf("/src/repo", { config: { ...compose, workspaceFolder: "/c" } }).workspaceFolder).toBe("/c");
});
