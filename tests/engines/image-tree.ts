import { createHash, type Hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { readTarAttributes } from "../../src/oci/tar-attributes.ts";
import { createTarStream, type TarStreamEntry } from "../../src/oci/tar-stream.ts";

/** What a layer does to one path. */
type Change =
  | { readonly kind: "entry"; readonly path: string; readonly line: string; readonly isFolder: boolean }
  | { readonly kind: "hard link"; readonly path: string; readonly target: string }
  | { readonly kind: "whiteout"; readonly path: string }
  | { readonly kind: "opaque"; readonly path: string };

const TYPES: Readonly<Record<string, string>> = {
  "0": "file",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "folder",
  "6": "pipe",
};
const known = new Map<string, readonly Change[]>();

/** The files of an image by path: type, mode, owner and, as they have them, link target, capability and digest of the content. */
export function imageTree(
  layers: readonly { readonly digest: string; readonly file: string }[],
): ReadonlyMap<string, string> {
  const tree = new Map<string, string>();
  for (const { digest, file } of layers) {
    const changes = known.get(digest) ?? readChanges(file);
    known.set(digest, changes);
    // What a layer hides is of the layers below, wherever in the layer it says so.
    for (const change of changes) {
      if (change.kind === "whiteout") removeBelow(tree, change.path, { itself: true });
      else if (change.kind === "opaque") removeBelow(tree, change.path, { itself: false });
    }
    for (const change of changes) {
      if (change.kind === "entry") {
        if (!change.isFolder) removeBelow(tree, change.path, { itself: true });
        tree.set(change.path, change.line);
      } else if (change.kind === "hard link") {
        tree.set(change.path, tree.get(change.target) ?? `a hard link to ${change.target}, which is not there`);
      }
    }
  }
  return tree;
}

function removeBelow(tree: Map<string, string>, path: string, { itself }: { itself: boolean }): void {
  for (const other of tree.keys()) if (other.startsWith(`${path}/`) || (itself && other === path)) tree.delete(other);
}

function readChanges(file: string): readonly Change[] {
  const bytes = readFileSync(file);
  const changes: Change[] = [];
  let open: { readonly change: (content: string) => Change; readonly hash: Hash } | undefined;
  const finish = () => {
    if (open !== undefined) changes.push(open.change(open.hash.digest("hex")));
    open = undefined;
  };
  const stream = createTarStream({
    entry(entry) {
      finish();
      open = { change: changeOf(entry), hash: createHash("sha256") };
    },
    content: (chunk) => void open?.hash.update(chunk),
  });
  stream.push(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  finish();
  const problem = stream.end();
  if (problem !== undefined) throw new Error(`${file}: ${problem.problem}`);
  return changes;
}

function changeOf(entry: TarStreamEntry): (content: string) => Change {
  const clean = (path: string) => path.replace(/^\.?\//, "").replace(/\/$/, "");
  const path = clean(entry.path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.slice(0, path.length - name.length);
  if (name === ".wh..wh..opq") return () => ({ kind: "opaque", path: folder.slice(0, -1) });
  if (name.startsWith(".wh.")) return () => ({ kind: "whiteout", path: folder + name.slice(4) });
  if (entry.typeFlag === "1") return () => ({ kind: "hard link", path, target: clean(entry.target) });
  const { uid, gid, capability, major, minor } = readTarAttributes(entry);
  const type = TYPES[entry.typeFlag === "\0" ? "0" : entry.typeFlag] ?? entry.typeFlag;
  const words = [type, (entry.mode & 0o7777).toString(8), `${uid}:${gid}`];
  if (type === "symlink") words.push(`-> ${entry.target}`);
  if (type === "device") words.push(`${major}:${minor}`);
  if (capability !== undefined) words.push(`capability ${capability.toHex()}`);
  return (content) => ({
    kind: "entry",
    path,
    isFolder: type === "folder",
    line: [...words, ...(type === "file" ? [content] : [])].join(" "),
  });
}
