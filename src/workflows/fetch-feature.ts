import type { LoadedFeature } from "../features/graph.ts";
import type { LockedFeature } from "../features/lockfile.ts";
import type { FeatureReference } from "../features/reference.ts";
import type { JsonObject } from "../json.ts";
import type { Digest } from "../oci/digest.ts";
import { type ArchiveFeaturePorts, fetchGithubFeature, fetchTarballFeature } from "./fetch-feature-archive.ts";
import type { FeatureContent } from "./fetch-feature-content.ts";
import { readLocalFeature } from "./fetch-feature-local.ts";
import { fetchOciFeature, type OciFeaturePorts } from "./fetch-feature-oci.ts";

/** What fetching Features needs of the world. */
export type FeaturePorts = OciFeaturePorts & ArchiveFeaturePorts;

/** A Feature that was found; its files may still be on their way. */
export type FetchedFeature = LoadedFeature & {
  readonly content: Promise<FeatureContent>;
  /** How a lockfile names it; undefined for what a lockfile does not hold. */
  readonly locked: { readonly resolved: string; readonly integrity: Digest } | undefined;
  /** The registry's manifest; undefined for a Feature from elsewhere. */
  readonly imageManifest: JsonObject | undefined;
};

/** A Feature to find: how it is written, what that means, and what the lockfile says of it. */
export type WantedFeature = {
  readonly userId: string;
  readonly reference: FeatureReference;
  readonly locked: LockedFeature | undefined;
};

/** Finds a Feature wherever it comes from; throws a UserError when it is not there or not what the lockfile says. */
export async function fetchFeature(wanted: WantedFeature, ports: FeaturePorts): Promise<FetchedFeature> {
  const { userId, reference, locked } = wanted;
  switch (reference.kind) {
    case "oci": {
      const found = await fetchOciFeature({ userId, reference, locked }, ports);
      const { digest, resolved, content, imageManifest } = found;
      const { manifest } = found.description;
      return { userId, reference, digest, manifest, content, imageManifest, locked: { resolved, integrity: digest } };
    }
    case "tarball": {
      const content = await fetchTarballFeature({ userId, reference, locked }, ports);
      return { ...withContent(wanted, content), locked: { resolved: reference.url, integrity: content.digest } };
    }
    case "local":
      return withContent(wanted, await readLocalFeature(userId, reference));
    case "github-legacy":
      return withContent(wanted, await fetchGithubFeature({ userId, reference }, ports));
  }
}

function withContent({ userId, reference }: WantedFeature, content: FeatureContent): FetchedFeature {
  return {
    userId,
    reference,
    digest: content.digest,
    manifest: content.description.manifest,
    content: Promise.resolve(content),
    imageManifest: undefined,
    locked: undefined,
  };
}
