import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { maximumManifestSize } from "../oci/image.ts";
import { parseImageReference } from "../oci/reference.ts";
import { checkConfig } from "../oci/validation/check-config.ts";
import { checkLayers, type MeasuredLayer } from "../oci/validation/check-layer.ts";
import type { Fault } from "../oci/validation/fault.ts";
import { faultsOfSchema } from "../oci/validation/schema-faults.ts";
import type { ContentFiles } from "./content-files.ts";
import { dockerManifestFile } from "./docker-archive-source.ts";
import { measureLayer } from "./measure-layer.ts";
import { readDocument } from "./read-document.ts";

const listingSchema = v.pipe(
  v.array(
    v.looseObject({
      Config: v.string(),
      RepoTags: v.nullish(v.array(v.pipe(v.string(), v.check(isReference, "expected an image reference")))),
      Layers: v.array(v.string()),
    }),
  ),
  v.minLength(1, "it names no image"),
);
type Listed = v.InferOutput<typeof listingSchema>[number];

/** Everything that is wrong with what `docker save` writes, by its `manifest.json`. */
export async function validateDockerArchive(
  files: ContentFiles,
): Promise<{ readonly faults: readonly Fault[]; readonly counted: { manifests: number; layers: number } }> {
  const place = dockerManifestFile;
  const listing = await readDocument((await files.chunks(place))?.chunks, { maximum: maximumManifestSize, place });
  const faults = [...listing.faults];
  const measured = new Map<string, MeasuredLayer | undefined>();
  const result = v.safeParse(listingSchema, listing.document);
  if (listing.document !== undefined && !result.success) faults.push(...faultsOfSchema(result.issues, place));
  for (const image of result.success ? result.output : [])
    faults.push(...(await checkListed(files, { image, measured })));
  return { faults, counted: { manifests: result.success ? result.output.length : 0, layers: measured.size } };
}

async function checkListed(
  files: ContentFiles,
  { image, measured }: { image: Listed; measured: Map<string, MeasuredLayer | undefined> },
): Promise<Fault[]> {
  const faults: Fault[] = [];
  const layers: (MeasuredLayer | undefined)[] = [];
  for (const path of image.Layers) {
    if (!measured.has(path)) {
      const found = await files.chunks(path);
      if (found === undefined) faults.push({ kind: "missing", place: path, problem: "it is not there" });
      const layer = found === undefined ? undefined : await measureLayer(found.chunks, path);
      measured.set(path, layer);
      faults.push(...(layer?.faults ?? []));
      if (layer !== undefined) faults.push(...nameFaults(path, layer));
    }
    layers.push(measured.get(path));
  }
  const place = image.Config;
  const read = await readDocument((await files.chunks(place))?.chunks, {
    maximum: maximumManifestSize,
    place,
    ...(await describedByName(files, place)),
  });
  faults.push(...read.faults);
  if (read.document === undefined) return faults;
  const { faults: inConfig, facts } = checkConfig(read.document, place);
  faults.push(...inConfig);
  return facts === undefined ? faults : [...faults, ...checkLayers(layers, { ...facts, place })];
}

/** Files of an archive are named by the digest of what is in them, or by an identifier that says nothing. */
function nameFaults(path: string, layer: MeasuredLayer): Fault[] {
  const promised = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
  if (promised === undefined || layer.digest === `sha256:${promised}`) return [];
  return [{ kind: "digest", place: path, problem: `its content is ${layer.digest}` }];
}

async function describedByName(
  files: ContentFiles,
  path: string,
): Promise<{ descriptor?: { digest: Digest; size: number } }> {
  const hex = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  const found = await files.chunks(path);
  return hex === undefined || found === undefined ? {} : { descriptor: { digest: `sha256:${hex}`, size: found.size } };
}

function isReference(text: string): boolean {
  try {
    parseImageReference(text);
    return true;
  } catch (thrown) {
    if (thrown instanceof UserError) return false;
    throw thrown;
  }
}
