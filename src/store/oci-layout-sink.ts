import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { LocalImageSink } from "../oci/content.ts";
import type { IndexEntry } from "../oci/descriptor.ts";
import {
  checkLayoutFile,
  type LayoutName,
  layoutEntries,
  layoutFile,
  readLayoutIndex,
  renderLayoutIndex,
  replaceEntries,
} from "../oci/layout-index.ts";
import { type BlobFolder, openBlobFolder } from "./blob-folder.ts";
import { stagedPath, unwritable } from "./staged-path.ts";

/**
 * Writes an image into the OCI layout at `folder`: a new one appears when it is whole; in one that is there already the
 * image is added, and takes the place of one with the same name. Throws a UserError when something else is there.
 */
export function openLayoutSink(folder: string, names: readonly LayoutName[]): LocalImageSink {
  const isThere = holdsSomething(folder);
  if (isThere) checkLayout(folder);
  const root = isThere ? folder : stagedPath(folder);
  const blobs = openBlobs(root, folder);
  let finished = false;
  return {
    ...blobs,
    async finish(document) {
      await blobs.writeManifest(document);
      const added = layoutEntries(document.descriptor, names);
      const known = isThere ? readIndexFile(folder) : [];
      try {
        if (!isThere) writeFileSync(join(root, "oci-layout"), layoutFile);
        writeIndexFile(root, replaceEntries(known, added), root);
        if (!isThere) renameSync(root, folder);
      } catch (cause) {
        throw unwritable(folder, cause);
      }
      finished = true;
    },
    async discard() {
      if (finished) return;
      blobs.discard();
      if (!isThere) rmSync(root, { recursive: true, force: true });
    },
  };
}

function openBlobs(root: string, folder: string): BlobFolder {
  try {
    return openBlobFolder(root, { staging: join(root, "blobs", "sha256"), what: folder });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** The entries of a layout's `index.json`; none where there is no such file. */
export function readIndexFile(folder: string): IndexEntry[] {
  const path = join(folder, "index.json");
  return existsSync(path) ? readLayoutIndex(readFileSync(path), path) : [];
}

/** Puts a new `index.json` in the place of a layout's; it is written in `staging` first. */
export function writeIndexFile(folder: string, entries: readonly IndexEntry[], staging: string): void {
  const staged = stagedPath(join(staging, "index.json"));
  try {
    writeFileSync(staged, renderLayoutIndex(entries));
    renameSync(staged, join(folder, "index.json"));
  } finally {
    rmSync(staged, { force: true });
  }
}

function holdsSomething(folder: string): boolean {
  let isFile: boolean | undefined;
  try {
    isFile = statSync(folder, { throwIfNoEntry: false })?.isFile();
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  if (isFile !== true) return existsSync(folder) && readdirSync(folder).length > 0;
  throw new UserError(`Could not write ${folder}: it is a file, and an OCI layout is a folder.`, {
    hint: `To write an archive: oci-archive:${folder}.`,
  });
}

function checkLayout(folder: string): void {
  if (!existsSync(join(folder, "oci-layout"))) {
    throw new UserError(`${folder} is there already and is no OCI image layout: it has no oci-layout file.`, {
      hint: "Name a folder that does not exist yet, an empty one, or a layout to add the image to.",
    });
  }
  checkLayoutFile(readFileSync(join(folder, "oci-layout")), join(folder, "oci-layout"));
}
