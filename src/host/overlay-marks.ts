import type { Dirent, Stats } from "node:fs";
import { lstatSync } from "node:fs";
import { UserError } from "../errors.ts";
import { opaqueMarker, whiteoutPrefix } from "../oci/layer-place.ts";
import { getAttribute, listAttributes } from "./extended-attributes.ts";

/**
 * What a directory has that hides all below: as the kernel sets it for a user and for root. That of fuse-overlayfs is not
 * one of them: the kernel copies it with a directory of a lower layer, and anybody may set it. It leaves a file as well.
 */
const opaqueAttributes = ["user.overlay.opaque", "trusted.overlay.opaque"] as const;
const redirectAttributes = ["user.overlay.redirect", "trusted.overlay.redirect"] as const;

/** What fuse-overlayfs puts beside the mark of a directory that hides everything. */
const fuseNote = ".wh..opq";

/** True for what says something of its directory, and of nothing that has its name. */
export function isDirectoryMark(child: { readonly name: string; readonly stats: Stats }): boolean {
  return child.name === opaqueMarker || (child.name === fuseNote && child.stats.isCharacterDevice());
}

/** True for what an overlay's upper directory may have in place of something deleted. */
export function mayBeWhiteout(child: Dirent): boolean {
  return child.isCharacterDevice() || child.name.startsWith(whiteoutPrefix);
}

/** The name without fuse-overlayfs' mark of a deletion. */
export function hiddenName(name: string): string {
  return name.startsWith(whiteoutPrefix) ? name.slice(whiteoutPrefix.length) : name;
}

/**
 * True when that is a deletion: a character device 0/0, or the empty file with a name of its own that fuse-overlayfs
 * makes where it may make no device.
 */
export function isWhiteout(stats: Stats, name: string): boolean {
  if (stats.isCharacterDevice()) return stats.rdev === 0;
  const hidden = hiddenName(name);
  return hidden !== name && hidden !== "" && hidden !== "." && hidden !== ".." && stats.isFile() && stats.size === 0;
}

/** True for a directory that shows nothing of what is below; throws a UserError for one that shows another's content. */
export function isOpaque(directory: string): boolean {
  const names = listAttributes(directory);
  const redirect = redirectAttributes.find((name) => names.includes(name));
  if (redirect !== undefined) {
    throw new UserError(
      `${directory} cannot be in a layer: it was renamed and has ${redirect} instead of its content.`,
      {
        hint: "Mount the overlay with the options userxattr or redirect_dir=off.",
      },
    );
  }
  const isMarked = opaqueAttributes.some((name) => names.includes(name) && saysYes(getAttribute(directory, name)));
  return isMarked || lstatSync(`${directory}/${opaqueMarker}`, { throwIfNoEntry: false })?.isFile() === true;
}

function saysYes(value: Uint8Array | undefined): boolean {
  return value?.length === 1 && value[0] === 0x79;
}
