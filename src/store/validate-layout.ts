import { maximumManifestSize } from "../oci/image.ts";
import { selectEntry } from "../oci/layout-index.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { type CheckedDescriptor, checkManifest } from "../oci/validation/check-manifest.ts";
import type { Fault } from "../oci/validation/fault.ts";
import type { ContentFiles } from "./content-files.ts";
import { blobPath } from "./oci-layout-source.ts";
import { readDocument } from "./read-document.ts";
import { type ContentCheck, createContentCheck } from "./validate-contents.ts";

/** Everything that is wrong with an OCI layout, or with the image in it that is called `name`. */
export async function validateLayout(
  files: ContentFiles,
  name: string | undefined,
): Promise<Pick<ContentCheck, "faults" | "counted">> {
  const content = createContentCheck(async ({ digest }) => (await files.chunks(blobPath(digest)))?.chunks);
  const faults: Fault[] = [];
  const read = async (path: string, maximum: number) => {
    const { document, faults: found } = await readDocument((await files.chunks(path))?.chunks, {
      maximum,
      place: path,
    });
    faults.push(...found);
    return document;
  };
  const layout = await read("oci-layout", 4096);
  if (layout !== undefined) faults.push(...versionFaults(layout));
  const index = await read("index.json", maximumManifestSize);
  if (index !== undefined) {
    const checked = checkManifest(index, { place: "index.json", announced: mediaTypes.ociIndex });
    faults.push(...checked.faults);
    if (checked.manifest?.kind === "index") {
      const entries = namedEntries(checked.manifest.manifests, { name, what: files.what });
      if (entries.length === 0) faults.push({ kind: "missing", place: "index.json", problem: "it names no image" });
      for (const entry of entries) await content.check(entry);
    }
  }
  return { faults: [...faults, ...content.faults], counted: content.counted };
}

function versionFaults(layout: object): Fault[] {
  const version = "imageLayoutVersion" in layout ? layout.imageLayoutVersion : undefined;
  if (version === "1.0.0") return [];
  const found = version === undefined ? "it has no imageLayoutVersion" : `its version is ${JSON.stringify(version)}`;
  return [{ kind: "layout-version", place: "oci-layout", problem: `${found}: 1.0.0 was expected` }];
}

function namedEntries(
  entries: readonly CheckedDescriptor[],
  { name, what }: { name: string | undefined; what: string },
): readonly CheckedDescriptor[] {
  if (name === undefined) return entries;
  const known = entries.map((entry) => ({ ...entry, annotations: entry.annotations ?? {}, platform: undefined }));
  const selected = selectEntry(known, { name, what });
  return entries.filter(({ digest }) => digest === selected?.digest);
}
