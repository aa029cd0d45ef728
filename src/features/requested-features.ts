import type { FeatureValue } from "../devcontainer/schema.ts";
import type { FeatureWarning } from "./warning.ts";

/** A Feature as asked for: its id and the value beside it. */
export type RequestedFeature = {
  readonly userId: string;
  readonly value: FeatureValue;
  /** False when the Feature comes from the command line only, and so stays out of the lockfile. */
  readonly configured: boolean;
};

const published = "ghcr.io/devcontainers/features/";
const merged = [
  { from: "gradle", target: "java", option: "installGradle" },
  { from: "maven", target: "java", option: "installMaven" },
  { from: "jupyterlab", target: "python", option: "installJupyterlab" },
] as const;

/**
 * The Features to resolve, in order: those of devcontainer.json, additional ones with other keys, and the ids that
 * have become an option of another Feature replaced by that option (§4.1).
 */
export function requestFeatures(
  configured: Readonly<Record<string, FeatureValue>>,
  additional: Readonly<Record<string, FeatureValue>> = {},
): { features: RequestedFeature[]; warnings: FeatureWarning[] } {
  const requests = [
    ...Object.entries(configured).map(([userId, value]) => ({ userId, value, configured: true })),
    ...Object.entries(additional)
      .filter(([userId]) => !Object.hasOwn(configured, userId))
      .map(([userId, value]) => ({ userId, value, configured: false })),
  ];
  return mergeOptions(requests);
}

function mergeOptions(requests: readonly RequestedFeature[]): {
  features: RequestedFeature[];
  warnings: FeatureWarning[];
} {
  const warnings: FeatureWarning[] = [];
  let features = [...requests];
  for (const { userId, configured } of requests) {
    const rule = merged.find(({ from }) => from === userId);
    if (rule === undefined) continue;
    features = features.filter((feature) => feature.userId !== userId);
    const found = features.findIndex((feature) => isTarget(feature.userId, rule.target));
    const target = features[found] ?? { userId: `${published}${rule.target}:1`, value: {}, configured };
    const changed = { ...target, value: { ...optionsOf(target.value), [rule.option]: true } };
    features = found === -1 ? [...features, changed] : features.with(found, changed);
    warnings.push({ kind: "merged", userId, target: changed.userId, option: rule.option });
  }
  return { features, warnings };
}

function isTarget(userId: string, name: string): boolean {
  return userId === name || userId === `${published}${name}` || userId.startsWith(`${published}${name}:`);
}

function optionsOf(value: FeatureValue): Record<string, string | boolean> {
  if (typeof value === "string") return { version: value };
  return typeof value === "object" ? value : {};
}
