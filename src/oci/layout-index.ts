import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { type Descriptor, type IndexEntry, indexEntrySchema } from "./descriptor.ts";
import { sha256Of } from "./digest.ts";
import { entryJson } from "./image.ts";
import { readJsonDocument } from "./json-document.ts";
import { mediaTypes } from "./media-types.ts";
import { formatReference, type ImageReference, parseImageReference } from "./reference.ts";

/** The one layout version there is (OCI image spec, "Image Layout"). */
export const layoutFile = '{"imageLayoutVersion":"1.0.0"}';

const layoutSchema = v.object({ imageLayoutVersion: v.literal("1.0.0") });
const indexSchema = v.object({ manifests: v.nullish(v.array(indexEntrySchema), []) });

const refName = "org.opencontainers.image.ref.name";
// What containerd, BuildKit and podman take the whole name from.
const fullName = "io.containerd.image.name";

/** Throws a UserError that starts with `what` when the bytes are no `oci-layout` file of a known version. */
export function checkLayoutFile(bytes: Uint8Array, what: string): void {
  readJsonDocument(bytes, { schema: layoutSchema, what });
}

/** The entries of a layout's `index.json`. */
export function readLayoutIndex(bytes: Uint8Array, what: string): IndexEntry[] {
  return readJsonDocument(bytes, { schema: indexSchema, what }).manifests;
}

/** The text of an `index.json`. */
export function renderLayoutIndex(entries: readonly IndexEntry[]): string {
  const document: JsonObject = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: entries.map(entryJson),
  };
  return JSON.stringify(document);
}

/** A layout's name for an image: a tag as in `oci:DIR:tag`, or the reference it was tagged with. */
export type LayoutName =
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "reference"; readonly reference: ImageReference };

/** The entries that name an image: one a name, or one without any. */
export function layoutEntries(root: Descriptor, names: readonly LayoutName[]): IndexEntry[] {
  const { mediaType, digest, size } = root;
  const bare = { mediaType, digest, size, platform: undefined };
  if (names.length === 0) return [{ ...bare, annotations: {} }];
  return names.map((name) => ({ ...bare, annotations: annotationsOf(name) }));
}

function annotationsOf(name: LayoutName): Record<string, string> {
  switch (name.kind) {
    case "tag":
      return { [refName]: name.tag };
    case "reference":
      return { [fullName]: formatReference(name.reference), [refName]: name.reference.tag ?? "latest" };
  }
}

/** The whole reference that an entry was given, if it was one. */
export function fullNameOf({ annotations }: IndexEntry): string | undefined {
  return annotations[fullName];
}

/**
 * The entries with new ones in the place of those that had the same names, or none as the new ones have. A tag alone leads to nothing
 * else afterwards: an image with a whole name keeps that.
 */
export function replaceEntries(entries: readonly IndexEntry[], added: readonly IndexEntry[]): IndexEntry[] {
  const key = ({ annotations }: IndexEntry) => annotations[fullName] ?? annotations[refName] ?? "";
  const taken = new Set(added.map(key));
  const tags = new Set(added.filter((entry) => fullNameOf(entry) === undefined).map(tagOf));
  const kept = entries.filter((entry) => !taken.has(key(entry)));
  return [...kept.map((entry) => (tags.has(tagOf(entry)) ? withoutTag(entry) : entry)), ...added];
}

function tagOf({ annotations }: IndexEntry): string | undefined {
  return annotations[refName];
}

function withoutTag(entry: IndexEntry): IndexEntry {
  const { [refName]: _tag, ...annotations } = entry.annotations;
  return { ...entry, annotations };
}

/**
 * The entry that a name (a tag, a whole reference or a digest) leads to, or the only image there is. Undefined when
 * there are several and each is for a platform: then the index itself is meant. Throws a UserError that lists the names,
 * also where a tag is that of several images.
 */
export function selectEntry(
  entries: readonly IndexEntry[],
  { name, what }: { name: string | undefined; what: string },
): IndexEntry | undefined {
  if (name !== undefined) {
    const [found, ...others] = entriesCalled(name, entries);
    if (found === undefined)
      throw new UserError(`${what} has no image called ${JSON.stringify(name)}.${listed(entries)}`, {
        hint: "Say one of these names, or a digest: oci:DIR@sha256:….",
      });
    if (others.every(({ digest }) => digest === found.digest)) return found;
    throw new UserError(
      `${what} has several images with the tag ${JSON.stringify(name)}.${listed([found, ...others])}`,
      { hint: "Say the whole name or the digest: oci:DIR:NAME:TAG or oci:DIR@sha256:…." },
    );
  }
  const [first] = entries;
  if (first === undefined) throw new UserError(`${what} holds no image: its index.json is empty.`);
  if (entries.every(({ digest }) => digest === first.digest)) return first;
  if (entries.every(({ platform }) => platform !== undefined)) return undefined;
  throw new UserError(`${what} holds several images; say which one.${listed(entries)}`, {
    hint: "Add its tag or digest: oci:DIR:TAG or oci:DIR@sha256:….",
  });
}

/** A whole name says more than a tag, and a tag that an image was given alone more than one that is part of its name. */
function entriesCalled(name: string, entries: readonly IndexEntry[]): readonly IndexEntry[] {
  const whole = wholeName(name);
  const ways: readonly ((entry: IndexEntry) => boolean)[] = [
    ({ digest }) => digest === name,
    (entry) => fullNameOf(entry) === name,
    (entry) => tagOf(entry) === name && fullNameOf(entry) === undefined,
    (entry) => tagOf(entry) === name,
    (entry) => whole !== undefined && fullNameOf(entry) === whole,
  ];
  return ways.map((way) => entries.filter(way)).find((found) => found.length > 0) ?? [];
}

function wholeName(text: string): string | undefined {
  try {
    return formatReference(parseImageReference(text));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The descriptor of an `index.json` itself. */
export function describeLayoutIndex(bytes: Uint8Array): Descriptor {
  return { mediaType: mediaTypes.ociIndex, digest: sha256Of(bytes), size: bytes.length, annotations: {} };
}

function listed(entries: readonly IndexEntry[]): string {
  const names = entries.map(({ digest, annotations }) => annotations[fullName] ?? annotations[refName] ?? digest);
  return names.length === 0 ? "" : ` It has: ${names.join(", ")}.`;
}
