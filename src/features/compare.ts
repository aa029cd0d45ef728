import type { FeatureValue } from "../devcontainer/schema.ts";
import { compareText } from "./compare-text.ts";
import type { FeatureReference } from "./reference.ts";

/** What makes two Features of a configuration the same: where it comes from, its content, its options. */
export type ComparableFeature = {
  readonly userId: string;
  readonly reference: FeatureReference;
  readonly value: FeatureValue;
  /** Names the fetched content: of a registry manifest or an archive; undefined for a local Feature. */
  readonly digest: string | undefined;
  /** Ids by which the Feature is or was known, its current one first. */
  readonly aliases: readonly string[];
};

/** True when installing both would do the same thing twice (§4.7). */
export function isSameFeature(left: ComparableFeature, right: ComparableFeature): boolean {
  return left.reference.kind === right.reference.kind && compareFeatures(left, right) === 0;
}

/** The order within one round of installation: negative, zero or positive as `left` goes before, with or after `right` (§4.7). */
export function compareFeatures(left: ComparableFeature, right: ComparableFeature): number {
  const [from, to] = [left.reference, right.reference];
  const values = compareValues(left.value, right.value);
  if (from.kind === "oci" && to.kind === "oci") {
    if (values === 0 && left.digest !== undefined && left.digest === right.digest) return 0;
    return (
      compareText(ociPlace(from), ociPlace(to)) ||
      (sharesAlias(left, right) ? 0 : compareText(from.id, to.id)) ||
      (from.tag !== undefined && to.tag !== undefined ? compareText(from.tag, to.tag) : 0) ||
      values ||
      compareText(left.digest ?? "", right.digest ?? "")
    );
  }
  if (from.kind === "local" && to.kind === "local") return compareText(from.folder, to.folder) || values;
  if (from.kind === "tarball" && to.kind === "tarball") return compareText(from.url, to.url) || values;
  if (from.kind === "github-legacy" && to.kind === "github-legacy") {
    return compareText(githubName(from), githubName(to)) || values;
  }
  return compareText(left.userId, right.userId);
}

/**
 * True when `feature` is what `wanted` means, whatever its version and options: the same resource, or a name that the
 * Feature itself says it has in the same place. Nothing is fetched to find out.
 */
export function matchesReference(feature: ComparableFeature, wanted: FeatureReference): boolean {
  const found = feature.reference;
  if (found.kind === "oci" && wanted.kind === "oci") {
    if (found.resource === wanted.resource) return true;
    return ociPlace(found) === ociPlace(wanted) && feature.aliases.includes(wanted.id);
  }
  if (found.kind === "local" && wanted.kind === "local") return found.folder === wanted.folder;
  if (found.kind === "tarball" && wanted.kind === "tarball") return found.url === wanted.url;
  if (found.kind !== "github-legacy" || wanted.kind !== "github-legacy") return false;
  return githubName(found) === githubName(wanted);
}

/** An order of option values: by type, then content; an object with fewer keys first. */
export function compareValues(left: FeatureValue, right: FeatureValue): number {
  if (typeof left !== "object" || typeof right !== "object") return compareScalars(left, right);
  const [leftKeys, rightKeys] = [Object.keys(left).sort(compareText), Object.keys(right).sort(compareText)];
  if (leftKeys.length !== rightKeys.length) return leftKeys.length - rightKeys.length;
  return (
    firstDifference(leftKeys, (key, index) => compareText(key, rightKeys[index] ?? "")) ||
    firstDifference(leftKeys, (key) => compareScalars(left[key], right[key]))
  );
}

function sharesAlias(left: ComparableFeature, right: ComparableFeature): boolean {
  return left.aliases.some((alias) => right.aliases.includes(alias));
}

function compareScalars(left: FeatureValue | undefined, right: FeatureValue | undefined): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  return compareText(typeof left, typeof right);
}

function firstDifference(keys: readonly string[], compare: (key: string, index: number) => number): number {
  for (const [index, key] of keys.entries()) {
    const difference = compare(key, index);
    if (difference !== 0) return difference;
  }
  return 0;
}

function ociPlace(reference: { registry: string; namespace: string }): string {
  return `${reference.registry}/${reference.namespace}`;
}

function githubName(reference: { owner: string; repository: string; id: string }): string {
  return `${reference.owner}/${reference.repository}/${reference.id}`;
}
