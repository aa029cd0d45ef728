import { UserError } from "../errors.ts";
import { opaqueMarker, whiteoutPrefix } from "../oci/layer-place.ts";
import type { TarMember } from "../oci/tar-writer.ts";

/** Something in a folder that becomes a layer; `path` is relative to the folder, times are whole seconds. */
export type TreeEntry = {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: number;
} & (
  | { readonly kind: "file"; readonly size: number; readonly capability: Uint8Array | undefined }
  | { readonly kind: "directory" }
  | { readonly kind: "symlink"; readonly target: string }
  /** Another name of a file that came earlier, by that one's path. */
  | { readonly kind: "hardlink"; readonly target: string }
  | { readonly kind: "fifo" }
  /** What the layers below have at the path is gone. */
  | { readonly kind: "whiteout" }
  /** The directory at the path hides all that the layers below have in it. */
  | { readonly kind: "opaque" }
);

/** How a folder's entries become a layer's. */
export type LayerSettings = {
  /** Where in the image they go: relative, empty for the root. */
  readonly prefix: string;
  readonly owner: Owner | "keep";
  /** Seconds since 1970: every time is this, or none is later with `clamp`. */
  readonly epoch: number;
  readonly clamp: boolean;
};

/** Numeric, as a layer has no user database. */
export type Owner = { readonly uid: number; readonly gid: number };

/** The directories above the layer's content, topmost first. */
export function prefixMembers({ prefix, owner, epoch }: LayerSettings): TarMember[] {
  const names = prefix === "" ? [] : prefix.split("/");
  const { uid, gid } = owner === "keep" ? { uid: 0, gid: 0 } : owner;
  return names.map((_, index) => ({
    kind: "directory",
    path: names.slice(0, index + 1).join("/"),
    mode: 0o755,
    uid,
    gid,
    modified: epoch,
  }));
}

/** The layer's member for an entry; throws a UserError for a name that would mean a deletion in a layer. */
export function layerMember(entry: TreeEntry, settings: LayerSettings): TarMember {
  const { prefix, owner, epoch, clamp } = settings;
  const { path } = entry;
  if (path.startsWith(whiteoutPrefix, path.lastIndexOf("/") + 1)) {
    throw new UserError(
      `${JSON.stringify(path)} cannot be in a layer: names that start with ".wh." mean a deletion there.`,
      {
        hint: "Rename it, or leave it out with --exclude.",
      },
    );
  }
  const placed = {
    path: prefix === "" ? path : `${prefix}/${path}`,
    mode: entry.mode,
    uid: owner === "keep" ? entry.uid : owner.uid,
    gid: owner === "keep" ? entry.gid : owner.gid,
    modified: clamp ? Math.max(0, Math.min(entry.modified, epoch)) : epoch,
  };
  switch (entry.kind) {
    case "file":
      return { ...placed, kind: "file", size: entry.size, capability: entry.capability };
    case "directory":
      return { ...placed, kind: "directory" };
    case "fifo":
      return { ...placed, kind: "fifo" };
    case "whiteout": {
      const name = path.lastIndexOf("/") + 1 + placed.path.length - path.length;
      const marked = `${placed.path.slice(0, name)}${whiteoutPrefix}${placed.path.slice(name)}`;
      return { ...placed, ...mark, path: marked };
    }
    case "opaque":
      return { ...placed, ...mark, path: `${placed.path}/${opaqueMarker}` };
    case "symlink":
      return { ...placed, kind: "symlink", target: entry.target };
    case "hardlink":
      return { ...placed, kind: "hardlink", target: prefix === "" ? entry.target : `${prefix}/${entry.target}` };
  }
}

const mark = { kind: "file", mode: 0o600, uid: 0, gid: 0, size: 0, capability: undefined } as const;

/** Reads `UID[:GID]` or `keep`; the group is the user's number unless told. */
export function readOwner(text: string): Owner | "keep" {
  if (text === "keep") return "keep";
  const [, uid = "", gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (uid === "" || Number(uid) > 4294967294 || Number(gid) > 4294967294) {
    throw new UserError(`--chown was given ${JSON.stringify(text)}: wanted numbers like 1000:1000, or "keep".`, {
      hint: "A layer knows no user names.",
    });
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** A place in the image as a relative path; throws a UserError for one that leads out of it. */
export function readPrefix(text: string): string {
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..") || text.includes("\0")) {
    throw new UserError(`--prefix was given ${JSON.stringify(text)}: wanted a folder of the image, like /app.`);
  }
  return names.join("/");
}
