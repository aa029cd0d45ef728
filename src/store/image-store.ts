import { existsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { type FileLock, lockFile } from "../host/file-lock.ts";
import type { ImageSource, LocalImageSink } from "../oci/content.ts";
import type { Descriptor, IndexEntry } from "../oci/descriptor.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import { fullNameOf, replaceEntries } from "../oci/layout-index.ts";
import { formatReference, type ImageReference } from "../oci/reference.ts";
import { findEntries, type ImageOrigin, originOf, storeEntries } from "../oci/store-entries.ts";
import { openBlobFolder } from "./blob-folder.ts";
import { type ContentFiles, openFolder } from "./content-files.ts";
import { readIndexFile, writeIndexFile } from "./oci-layout-sink.ts";
import { blobPath, openLayoutImage } from "./oci-layout-source.ts";
import { prepareStore, readDocument, sweepStaged } from "./store-folder.ts";
import {
  openWorkDirectory,
  type RemoveTree,
  removePlainTree,
  sweepWorkDirectories,
  type WorkDirectory,
} from "./work-directory.ts";

/** What the store works with. */
export interface ImageStorePorts {
  /** Ends waiting for other processes. */
  readonly signal: AbortSignal;
  /** For layers and work folders, whose files may belong to subordinate ids; without it they are removed with this process's rights. */
  readonly removeTree?: RemoveTree;
  /** Told what is waited for. */
  readonly tell?: (text: string) => void;
}

/** Under which names an image is written, and where it was pulled from, if it was. */
export interface StoreWrite {
  readonly names: readonly ImageReference[];
  readonly origin?: ImageOrigin | undefined;
}

/** cooper's own images: an OCI layout whose images have full references as names, beside what builds keep. */
export interface ImageStore {
  readonly folder: string;
  /** What `index.json` names; nothing where there is no store yet. */
  readonly entries: () => readonly IndexEntry[];
  /** What a reference leads to; several only where a digest was pulled for several platforms. Reads `index.json` alone. */
  readonly find: (reference: ImageReference) => readonly IndexEntry[];
  /** A manifest or config, checked; undefined when it is not there, or was damaged, in which case it is removed. */
  readonly readDocument: (descriptor: Pick<Descriptor, "digest" | "size">) => Uint8Array | undefined;
  /** Remembers that an image was used now. */
  readonly touch: (root: Digest) => void;
  /** Opens an image; throws a UserError when there is none of that name. What it has stays until it is closed. */
  readonly openSource: (reference: ImageReference) => Promise<ImageSource>;
  /** Takes an image in under at least one name, each of which is taken from the image that had it. */
  readonly openSink: (write: StoreWrite) => Promise<LocalImageSink>;
  /** Gives the image of an entry more names; throws a UserError when it is there no longer. */
  readonly tag: (entry: IndexEntry, names: readonly ImageReference[]) => Promise<void>;
  /** Takes names away, full references or digests, which stand for all names of an image; gives the names that are gone. */
  readonly untag: (names: readonly string[]) => Promise<readonly string[]>;
  /** Keeps everything that is in the store there until it is released. */
  readonly use: () => Promise<FileLock>;
  /** A folder in the store for what is being made; those of dead processes are removed. */
  readonly openWork: () => Promise<WorkDirectory>;
  readonly blobPath: (digest: Digest) => string;
  /** Where the layer of a diff id lies unpacked, if it does. */
  readonly layerPath: (diffId: Digest) => string;
  /** Removes layers and work folders, whoever owns their files. */
  readonly removeTree: RemoveTree;
  /** Has the store for itself while `work` runs; undefined, and nothing done, when others use it for longer than that. */
  readonly alone: <Result>(milliseconds: number, work: () => Promise<Result>) => Promise<Result | undefined>;
}

/** The store in a folder, which is made when something is written. */
export function openImageStore(folder: string, ports: ImageStorePorts): ImageStore {
  const { signal, removeTree = removePlainTree } = ports;
  const files: ContentFiles = { ...openFolder(folder), what: "cooper's store" };
  const pathOf = (digest: Digest) => join(folder, blobPath(digest));
  const entries = () => readIndexFile(folder);
  const find = (reference: ImageReference) => findEntries(entries(), reference);

  async function use(): Promise<FileLock> {
    prepareStore(folder);
    const onWait = () => ports.tell?.("Waiting for another cooper, which is removing images from the store.");
    const lock = await lockFile(join(folder, "lock"), "shared", { signal, onWait });
    if (lock === undefined) throw new TypeError("A lock without an end of patience was not waited for.");
    return lock;
  }

  async function openWork(): Promise<WorkDirectory> {
    prepareStore(folder);
    const parent = join(folder, "work");
    await sweepWorkDirectories(parent, { removeTree, alone: false });
    return openWorkDirectory(parent, { removeTree, signal });
  }

  function touch(root: Digest): void {
    const now = new Date();
    try {
      utimesSync(pathOf(root), now, now);
    } catch {
      // A store that may only be read forgets.
    }
  }

  /** Everything that changes `index.json` waits for the others that do. */
  async function update(change: (entries: readonly IndexEntry[]) => readonly IndexEntry[]): Promise<void> {
    prepareStore(folder);
    const lock = await lockFile(join(folder, "index.lock"), "exclusive", { signal });
    try {
      sweepStaged(folder);
      writeIndexFile(folder, change(entries()), folder);
    } finally {
      lock?.release();
    }
  }

  return {
    folder,
    entries,
    find,
    readDocument: (descriptor) => readDocument(pathOf(descriptor.digest), descriptor),
    touch,
    async openSource(reference) {
      const name = formatReference(reference);
      if (find(reference).length === 0) throw absentImage(name);
      const lock = await use();
      try {
        const [entry] = find(reference);
        if (entry === undefined) throw absentImage(name);
        const source = await openLayoutImage(files, entry);
        touch(entry.digest);
        return { ...source, close: async () => lock.release() };
      } catch (error) {
        lock.release();
        throw error;
      }
    },
    async openSink({ names, origin }) {
      if (names.length === 0) throw new TypeError("An image of the store has a name.");
      const lock = await use();
      const work = await openWork().catch((error) => {
        lock.release();
        throw error;
      });
      const blobs = openBlobFolder(folder, { staging: work.path, what: folder });
      let finished = false;
      const end = async () => {
        await work.close();
        lock.release();
      };
      return {
        ...blobs,
        async finish(document) {
          await blobs.writeManifest(document);
          touch(document.descriptor.digest);
          await update((known) => replaceEntries(known, storeEntries(document.descriptor, names, origin)));
          finished = true;
          await end();
        },
        async discard() {
          if (!finished) await end();
          finished = true;
        },
      };
    },
    async tag(entry, names) {
      const lock = await use();
      try {
        if (!existsSync(pathOf(entry.digest))) throw absentImage(fullNameOf(entry) ?? entry.digest);
        await update((known) => replaceEntries(known, storeEntries(entry, names, originOf(entry))));
      } finally {
        lock.release();
      }
    },
    async untag(names) {
      const wanted = new Set(names);
      const gone: string[] = [];
      await update((known) =>
        known.filter((entry) => {
          const name = fullNameOf(entry) ?? entry.digest;
          if (!wanted.has(name) && !wanted.has(entry.digest)) return true;
          gone.push(name);
          return false;
        }),
      );
      return gone;
    },
    use,
    openWork,
    blobPath: pathOf,
    layerPath: (diffId) => join(folder, "layers", hexOf(diffId)),
    removeTree,
    async alone(milliseconds, work) {
      prepareStore(folder);
      const onWait = () => ports.tell?.("Waiting for another cooper, which uses the store.");
      const patience = milliseconds === 0 ? {} : { onWait };
      const lock = await lockFile(join(folder, "lock"), "exclusive", { signal, milliseconds, ...patience });
      if (lock === undefined) return undefined;
      try {
        return await work();
      } finally {
        lock.release();
      }
    },
  };
}

function absentImage(name: string): UserError {
  // Such a name is in no registry: a build gave it.
  const remedy = name.startsWith("localhost/")
    ? `cooper image copy engine:${name} store:${name} takes it from docker or podman, cooper build --backend native builds into the store.`
    : `cooper image pull ${name} store:${name} gets it from its registry.`;
  return new UserError(`cooper's store has no image called ${name}.`, {
    hint: `cooper image list shows what it has; ${remedy}`,
  });
}
