import type { Descriptor, IndexEntry } from "./descriptor.ts";
import { type Digest, isDigest } from "./digest.ts";
import { fullNameOf, layoutEntries } from "./layout-index.ts";
import { formatName, formatReference, type ImageReference } from "./reference.ts";

/** Where an image was pulled from: a repository, and the digest that its registry had under the name. */
export interface ImageOrigin {
  /** As `formatName` gives it. */
  readonly name: string;
  /** Of the index, where one platform's image of it was taken. */
  readonly digest: Digest;
}

const originAnnotation = "dev.cooper.store.origin";

/** The entries of a store's index for an image: one a name. */
export function storeEntries(
  root: Descriptor,
  names: readonly ImageReference[],
  origin: ImageOrigin | undefined,
): IndexEntry[] {
  const distinct = [...new Map(names.map((reference) => [formatReference(reference), reference])).values()];
  const entries = layoutEntries(
    root,
    distinct.map((reference) => ({ kind: "reference", reference })),
  );
  if (origin === undefined) return entries;
  return entries.map((entry) => ({
    ...entry,
    annotations: { ...entry.annotations, [originAnnotation]: `${origin.name}@${origin.digest}` },
  }));
}

/** Where an entry's image was pulled from, if it was. */
export function originOf({ annotations }: IndexEntry): ImageOrigin | undefined {
  const [name = "", digest = ""] = (annotations[originAnnotation] ?? "").split("@");
  return isDigest(digest) ? { name, digest } : undefined;
}

/** The entries that a reference leads to: the one of that name, or with a digest all whose image is, or was pulled as, that. */
export function findEntries(entries: readonly IndexEntry[], reference: ImageReference): readonly IndexEntry[] {
  const name = formatReference(reference);
  const named = entries.filter((entry) => fullNameOf(entry) === name);
  const { digest } = reference;
  if (named.length > 0 || digest === undefined) return named;
  const repository = formatName(reference);
  const same = entries.filter((entry) => entry.digest === digest || originOf(entry)?.digest === digest);
  // Bytes are the same whatever they are called, but what is called so knows where it was pulled from.
  return same.toSorted((left, right) => Number(isOf(right, repository)) - Number(isOf(left, repository)));
}

function isOf(entry: IndexEntry, repository: string): boolean {
  return originOf(entry)?.name === repository;
}

/** An image of a store with all its names. */
export interface NamedImage {
  readonly root: Descriptor;
  /** Full references. */
  readonly names: readonly string[];
}

/** The images of a store's index, each once, in its order. */
export function groupByImage(entries: readonly IndexEntry[]): readonly NamedImage[] {
  const images = new Map<Digest, { root: Descriptor; names: string[] }>();
  for (const entry of entries) {
    const { mediaType, digest, size } = entry;
    const image = images.get(digest) ?? { root: { mediaType, digest, size, annotations: {} }, names: [] };
    const name = fullNameOf(entry);
    if (name !== undefined) image.names.push(name);
    images.set(digest, image);
  }
  return [...images.values()];
}
