import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { LocalImageSink, ManifestDocument } from "../oci/content.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import {
  checkLayoutFile,
  type LayoutName,
  layoutEntries,
  layoutFile,
  readLayoutIndex,
  renderLayoutIndex,
  replaceEntries,
} from "../oci/layout-index.ts";
import { verifiedChunks } from "../oci/verified-content.ts";
import { blobPath } from "./oci-layout-source.ts";
import { stagedPath, unwritable } from "./staged-path.ts";

/**
 * Writes an image into the OCI layout at `folder`: a new one appears when it is whole; in one that is there already the
 * image is added, and takes the place of one with the same name. Throws a UserError when something else is there.
 */
export function openLayoutSink(folder: string, names: readonly LayoutName[]): LocalImageSink {
  const isThere = holdsSomething(folder);
  if (isThere) checkLayout(folder);
  const root = isThere ? folder : stagedPath(folder);
  try {
    mkdirSync(join(root, "blobs", "sha256"), { recursive: true });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  const partials = new Set<string>();
  let finished = false;
  const has = ({ digest }: Descriptor) => existsSync(join(root, blobPath(digest)));

  /** What `fill` writes appears under its digest at once and whole. */
  async function place(fill: (write: (bytes: Uint8Array) => void) => Promise<Descriptor>): Promise<Descriptor> {
    const partial = join(root, "blobs", "sha256", `.${randomUUID()}.partial`);
    partials.add(partial);
    const file = openSync(partial, "wx", 0o666);
    let descriptor: Descriptor;
    try {
      descriptor = await fill((bytes) => {
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      });
    } finally {
      closeSync(file);
    }
    renameSync(partial, join(root, blobPath(descriptor.digest)));
    partials.delete(partial);
    return descriptor;
  }

  async function writeManifest({ descriptor, bytes }: ManifestDocument): Promise<void> {
    if (has(descriptor)) return;
    await place(async (write) => {
      write(bytes);
      return descriptor;
    });
  }

  return {
    has: async (descriptor) => has(descriptor),
    async write(descriptor, chunks) {
      if (has(descriptor)) return;
      const { digest, size } = descriptor;
      await place(async (write) => {
        for await (const chunk of verifiedChunks(chunks, { digest, size, resource: "the image" })) write(chunk);
        return descriptor;
      });
    },
    writeNew: place,
    writeManifest,
    async finish(document) {
      await writeManifest(document);
      const added = layoutEntries(document.descriptor, names);
      const known = isThere ? readIndex(folder) : [];
      if (!isThere) writeFileSync(join(root, "oci-layout"), layoutFile);
      const staged = stagedPath(join(root, "index.json"));
      writeFileSync(staged, renderLayoutIndex(replaceEntries(known, added)));
      renameSync(staged, join(root, "index.json"));
      if (!isThere) renameSync(root, folder);
      finished = true;
    },
    async discard() {
      if (finished) return;
      for (const partial of isThere ? partials : [root]) rmSync(partial, { recursive: true, force: true });
    },
  };
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

function readIndex(folder: string) {
  const path = join(folder, "index.json");
  return existsSync(path) ? readLayoutIndex(readFileSync(path), path) : [];
}
