import * as v from "valibot";
import { isJsonObject, type JsonValue } from "../json.ts";
import { compareVersions, parseVersion } from "./semantic-version.ts";

const disallowedFeature = v.object({
  featureIdPrefix: v.string(),
  documentationURL: v.exactOptional(v.string()),
});
const featureAdvisory = v.object({
  featureId: v.string(),
  introducedInVersion: v.string(),
  fixedInVersion: v.string(),
  description: v.string(),
  documentationURL: v.exactOptional(v.string()),
});

/** Features that may not be used, by the start of their ids. */
export type DisallowedFeature = v.InferOutput<typeof disallowedFeature>;
/** A flaw of a Feature, from one version up to but not including another. */
export type FeatureAdvisory = v.InferOutput<typeof featureAdvisory>;

/** What the publishers of Features ask every tool to refuse and to warn about. */
export type ControlManifest = {
  readonly disallowedFeatures: readonly DisallowedFeature[];
  readonly featureAdvisories: readonly FeatureAdvisory[];
};

/** Reads a control manifest leniently: what is malformed is left out, never an error. */
export function parseControlManifest(value: JsonValue): ControlManifest {
  const { disallowedFeatures, featureAdvisories } = isJsonObject(value) ? value : {};
  return {
    disallowedFeatures: listOf(disallowedFeatures).filter((item) => v.is(disallowedFeature, item)),
    featureAdvisories: listOf(featureAdvisories).filter((item) => v.is(featureAdvisory, item)),
  };
}

/** The rule that forbids one of the ids as written: the prefix itself, or the prefix and `/`, `:` or `@`. */
export function findDisallowedFeature(
  manifest: ControlManifest,
  userIds: readonly string[],
): { userId: string; rule: DisallowedFeature } | undefined {
  for (const userId of userIds) {
    const rule = manifest.disallowedFeatures.find(({ featureIdPrefix: prefix }) => {
      return userId.startsWith(prefix) && /^(?:[/:@]|$)/.test(userId.slice(prefix.length));
    });
    if (rule !== undefined) return { userId, rule };
  }
  return undefined;
}

/** The advisories that apply to Features of a registry: `introduced ≤ version < fixed`. */
export function findAdvisories(
  manifest: ControlManifest,
  features: readonly { resource: string; version: string }[],
): { resource: string; version: string; advisory: FeatureAdvisory }[] {
  return features.flatMap(({ resource, version }) =>
    manifest.featureAdvisories
      .filter((advisory) => advisory.featureId === resource && isAffected(version, advisory))
      .map((advisory) => ({ resource, version, advisory })),
  );
}

/** The advisories as one block of text; undefined when there are none. */
export function advisoriesText(found: ReturnType<typeof findAdvisories>): string | undefined {
  if (found.length === 0) return undefined;
  const lines = found.map(({ resource, version, advisory }) => {
    const { description, introducedInVersion, fixedInVersion, documentationURL } = advisory;
    const more = documentationURL === undefined ? "" : `\n  See ${documentationURL}`;
    return `- ${resource} ${version}: ${description} (from ${introducedInVersion}, fixed in ${fixedInVersion})${more}`;
  });
  return ["FEATURE ADVISORIES:", ...lines, "Update these Features, for example by rebuilding without cache."].join(
    "\n",
  );
}

function isAffected(versionText: string, advisory: FeatureAdvisory): boolean {
  const version = parseVersion(versionText);
  const introduced = parseVersion(advisory.introducedInVersion);
  const fixed = parseVersion(advisory.fixedInVersion);
  if (version === undefined || introduced === undefined || fixed === undefined) return false;
  return compareVersions(introduced, version) <= 0 && compareVersions(version, fixed) < 0;
}

function listOf(value: JsonValue | undefined): unknown[] {
  return Array.isArray(value) ? value : [];
}
