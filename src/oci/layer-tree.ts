import { posix } from "node:path";

/** What a layer's tar does at a path: `path` is absolute and normalised, `target` as written. */
export type LayerChange =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly content: Uint8Array | undefined }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "hardlink"; readonly path: string; readonly target: string }
  /** A device or a pipe. */
  | { readonly kind: "other"; readonly path: string }
  /** Hides what layers below have at the path. */
  | { readonly kind: "whiteout"; readonly path: string }
  /** Hides what layers below have in the folder. */
  | { readonly kind: "opaque"; readonly path: string };

type Node =
  | { readonly kind: "directory" | "other" }
  | { readonly kind: "file"; readonly content: Uint8Array | undefined }
  | { readonly kind: "symlink"; readonly target: string };

/** What is at a path of an image. */
export type Found =
  /** `content` is undefined where it was not kept. */
  | { readonly kind: "file"; readonly content: Uint8Array | undefined }
  | { readonly kind: "directory" | "symlink" | "other" }
  | { readonly kind: "absent" };

/** Part of an image's root file system: what its layers do at the paths that were watched. */
export interface LayerTree {
  /** What is at a path, symlinked parents followed inside the image; `follow` says whether a symlink at its end is followed too. */
  readonly find: (path: string, options: { readonly follow: boolean }) => Found;
  /** Whether no layer below those that the tree is made of can change what is at the path. */
  readonly isSettled: (path: string) => boolean;
  /** Every path that was looked at: what was not watched among them is not known. */
  readonly visited: ReadonlySet<string>;
}

const maximumSteps = 255;

/** The tree that layers make, given bottom first, each with its changes in the order of its tar. */
export function createLayerTree(layers: readonly (readonly LayerChange[])[]): LayerTree {
  const tree: Tree = { nodes: new Map(), visited: new Set() };
  for (const changes of layers) {
    // A whiteout is about the layers below, wherever in its own layer it stands (OCI image spec, "Whiteouts").
    for (const change of changes) hide(change, tree);
    for (const change of changes) place(change, tree);
  }
  return {
    find: (path, options) => {
      const at = resolvePath(path, tree, options);
      const node = at === undefined ? undefined : tree.nodes.get(at);
      return node ?? { kind: "absent" };
    },
    isSettled: (path) => {
      const node = tree.nodes.get(path);
      return node?.kind === "file" && parentsOf(path).every((parent) => tree.nodes.get(parent)?.kind === "directory");
    },
    visited: tree.visited,
  };
}

/** The folders that an absolute path lies in, the outermost first, without the root. */
export function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

type Tree = { readonly nodes: Map<string, Node>; readonly visited: Set<string> };

function hide({ kind, path }: LayerChange, tree: Tree): void {
  if (kind !== "whiteout" && kind !== "opaque") return;
  const at = resolvePath(path, tree, { follow: kind === "opaque" });
  if (at === undefined) return;
  if (kind === "whiteout") tree.nodes.delete(at);
  deleteBelow(at, tree);
}

function place(change: LayerChange, tree: Tree): void {
  if (change.kind === "whiteout" || change.kind === "opaque") return;
  const at = resolvePath(change.path, tree, { follow: false });
  if (at === undefined) return;
  const node = nodeOf(change, tree);
  if (node.kind !== "directory") deleteBelow(at, tree);
  tree.nodes.set(at, node);
}

function nodeOf(change: Exclude<LayerChange, { kind: "whiteout" | "opaque" }>, tree: Tree): Node {
  switch (change.kind) {
    case "directory":
    case "other":
      return { kind: change.kind };
    case "file":
      return { kind: "file", content: change.content };
    case "symlink":
      return { kind: "symlink", target: change.target };
    case "hardlink":
      return linked(change.target, tree);
  }
}

/** What a hard link names is a path of its archive, not one seen from the link. */
function linked(target: string, tree: Tree): Node {
  const path = posix.join("/", target);
  const at = resolvePath(path, tree, { follow: false });
  return (at === undefined ? undefined : tree.nodes.get(at)) ?? { kind: "file", content: undefined };
}

function deleteBelow(path: string, { nodes }: Tree): void {
  const prefix = path === "/" ? "/" : `${path}/`;
  for (const known of nodes.keys()) if (known.startsWith(prefix)) nodes.delete(known);
}

/** Where a path leads, as the kernel would go with the image as its root; undefined through a file, or in a circle. */
function resolvePath(path: string, tree: Tree, { follow }: { readonly follow: boolean }): string | undefined {
  const reached: string[] = [];
  const pending = path.split("/").reverse();
  let steps = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    steps += 1;
    if (steps > maximumSteps) return undefined;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      reached.pop();
      continue;
    }
    const next = `/${[...reached, part].join("/")}`;
    tree.visited.add(next);
    const node = tree.nodes.get(next);
    const isLast = pending.every((rest) => rest === "" || rest === ".");
    if (node?.kind === "symlink" && (follow || !isLast)) {
      if (node.target.startsWith("/")) reached.length = 0;
      pending.push(...node.target.split("/").reverse());
      continue;
    }
    if (node !== undefined && node.kind !== "directory" && !isLast) return undefined;
    reached.push(part);
  }
  return `/${reached.join("/")}`;
}
